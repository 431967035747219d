"""A synthesized stack as Terraform reads it: ``cdk.tf.json`` and the files beside it."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")
_CONSTRUCT_DEPTH = 2
# The argument that Terraform uses as the id.
_IDS = {"aws_iam_role": "name", "aws_s3_bucket": "bucket"}


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the stack.

    Attributes:
        type: Terraform's name of the type, such as ``aws_s3_bucket``.
        id: Its id in the Terraform JSON.
        path: The path of its construct, such as ``stack/iris/delivery/pipeline``.
        arguments: Its synthesized arguments; strings may contain references.
    """

    type: str
    id: str
    path: str
    arguments: Mapping[str, Any]

    @property
    def address(self) -> str:
        """Its address in Terraform."""
        return f"{self.type}.{self.id}"


@dataclass(frozen=True, slots=True)
class Identity:
    """The account and the region for resolving references.

    Attributes:
        account_id: Twelve digits.
        partition: Such as ``aws`` or ``aws-us-gov``.
        region: Such as ``us-east-1``.
    """

    account_id: str
    partition: str
    region: str


class SynthesizedStack:
    """The resources of one stack, or of one pipeline in it.

    Attributes:
        folder: Folder of the stack, with ``cdk.tf.json``.
    """

    def __init__(self, folder: Path, pipeline: str | None = None) -> None:
        """Read the stack.

        Args:
            folder: Folder of the stack.
            pipeline: Name of an ML pipeline, or a prefix of it; the stack's other pipelines are excluded.

        Raises:
            MlopsError: when the stack has no such pipeline.
        """
        self.folder = folder
        self._document: dict[str, Any] = json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8"))
        self._all = tuple(self._read())
        self._others = self._other_scopes(pipeline)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource, except those of the excluded pipelines."""
        return tuple(one for one in self._all if not any(one.path.startswith(f"{scope}/") for scope in self._others))

    def of_type(self, type_: str) -> list[Resource]:
        """The resources of one Terraform type."""
        return [one for one in self.resources if one.type == type_]

    @property
    def region(self) -> str | None:
        """The region of the provider, or None where it is not a literal."""
        for provider in self._document.get("provider", {}).get("aws", []):
            region = provider.get("region")
            if "alias" not in provider and isinstance(region, str) and "${" not in region:
                return region
        return None

    @property
    def has_default_tags(self) -> bool:
        """Whether a provider tags all resources."""
        return any("default_tags" in provider for provider in self._document.get("provider", {}).get("aws", []))

    @property
    def backend(self) -> tuple[str, Mapping[str, Any]]:
        """The kind and the arguments of the backend that keeps Terraform's state."""
        backends = self._document.get("terraform", {}).get("backend") or {"local": {}}
        kind = next(iter(backends))
        return kind, backends[kind]

    def text(self, value: object, identity: Identity) -> str | None:
        """Resolve the references in a string; None when one of them is known only after the apply."""
        if not isinstance(value, str):
            return None
        unknown = False

        def resolve(match: re.Match[str]) -> str:
            nonlocal unknown
            found = self._referenced(match[1].split("."), identity)
            unknown = unknown or found is None
            return found or ""

        resolved = _REFERENCE.sub(resolve, value)
        return None if unknown or "${" in resolved else resolved

    def files(self, resource: Resource) -> dict[str, bytes]:
        """The files in the zip that an ``aws_s3_object`` uploads; nothing when it uploads no zip."""
        source = resource.arguments.get("source")
        path = self.folder / str(source)
        if not isinstance(source, str) or not zipfile.is_zipfile(path):
            return {}
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def actions(self, provider: str) -> Iterator[Mapping[str, Any]]:
        """Yield the configuration of every CodePipeline action of a provider, such as ``CloudFormation``."""
        for pipeline in self.of_type("aws_codepipeline"):
            yield from (action.get("configuration", {}) for action in _actions(pipeline, provider))

    def _read(self) -> Iterator[Resource]:
        for type_, resources in self._document.get("resource", {}).items():
            for id_, arguments in resources.items():
                path = arguments.get("//", {}).get("metadata", {}).get("path", id_)
                yield Resource(type_, id_, path, arguments)

    def _other_scopes(self, wanted: str | None) -> list[str]:
        """The paths of the excluded MLOpsPipelines."""
        if wanted is None:
            return []
        made = {one.path.rsplit("/", _CONSTRUCT_DEPTH)[0]: str(one.arguments.get("name")) for one in self._ml()}
        # As in `mlops rehearse`, a prefix of the name is enough: names end in a digest.
        scopes = [scope for scope, name in made.items() if f"{name}-".startswith(f"{wanted}-")]
        if not scopes:
            raise MlopsError(
                f"the stack has no pipeline {wanted!r}; it has: {', '.join(sorted(made.values())) or 'none'}"
            )
        return [scope for scope in made if scope not in scopes]

    def _ml(self) -> list[Resource]:
        """The pipelines that deploy, without the image pipelines."""
        pipelines = [one for one in self._all if one.type == "aws_codepipeline"]
        return [one for one in pipelines if any(_actions(one, "CloudFormation"))]

    def _referenced(self, path: list[str], identity: Identity) -> str | None:
        known = {
            "aws_region": {"name": identity.region, "id": identity.region},
            "aws_caller_identity": {"account_id": identity.account_id},
            "aws_partition": {"partition": identity.partition},
        }
        if path[0] == "data" and len(path) == 4:
            return known.get(path[1], {}).get(path[3])
        if len(path) != 3:
            return None
        made = self._document.get("resource", {}).get(path[0], {}).get(path[1], {})
        # A bucket's settings have the name of the bucket as an attribute, and so on: it equals the argument.
        attribute = _IDS.get(path[0], "id") if path[2] == "id" else path[2]
        return self.text(made.get(attribute), identity)


def _actions(pipeline: Resource, provider: str) -> Iterator[Mapping[str, Any]]:
    for stage in pipeline.arguments.get("stage", []):
        yield from (action for action in stage.get("action", []) if action.get("provider") == provider)
