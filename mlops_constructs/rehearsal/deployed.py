"""Find what a stack deployed, by asking AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.errors import RehearsalError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Deployed:
    """The parts that a rehearsal talks to.

    Attributes:
        pipeline: Name of the ML pipeline.
        image_pipeline: Name of the image pipeline, or None where no image is built.
        data_bucket: Bucket that data sets land in.
        prefix: Folder in it that starts the pipeline.
        stacks: CloudFormation stacks of the endpoints, in the order of their deployment.
    """

    pipeline: str
    image_pipeline: str | None
    data_bucket: str
    prefix: str
    stacks: tuple[str, ...]

    @classmethod
    def find_all(cls, codepipeline: Any) -> list[Deployed]:
        """Read every deployed ML pipeline, by name."""
        names = [summary["name"] for summary in codepipeline.list_pipelines()["pipelines"]]
        definitions = {name: codepipeline.get_pipeline(name=name)["pipeline"] for name in sorted(names)}
        images = {name for name in names if "CodeBuild" in _providers(definitions[name])}
        return [
            cls._of(name, definition, images)
            for name, definition in definitions.items()
            if _providers(definition) >= {"S3", "Lambda", "Manual"}
        ]

    @classmethod
    def find(cls, codepipeline: Any, wanted: str | None = None) -> Deployed:
        """Read the deployed ML pipeline that is ``wanted``, by its name or by what that starts with.

        Raises:
            RehearsalError: when there is not exactly one.
        """
        found = cls.find_all(codepipeline)
        chosen = [one for one in found if wanted is None or f"{one.pipeline}-".startswith(f"{wanted}-")]
        if len(chosen) == 1:
            return chosen[0]
        there = ", ".join(one.pipeline for one in found) or "none"
        if not chosen and wanted is not None:
            raise RehearsalError(f"the stack has no pipeline {wanted!r}; it has: {there}")
        raise RehearsalError(f"a rehearsal runs one MLOpsPipeline: choose with --pipeline; the stack has: {there}")

    @classmethod
    def _of(cls, name: str, definition: dict[str, Any], images: set[str]) -> Deployed:
        source = next(
            action["configuration"]
            for action in _actions(definition)
            if action["configuration"].get("AllowOverrideForS3ObjectKey") == "true"
        )
        stacks = dict.fromkeys(
            action["configuration"]["StackName"]
            for action in _actions(definition)
            if action["actionTypeId"]["provider"] == "CloudFormation"
        )
        key: str = source["S3ObjectKey"]
        image = f"{name}-image"
        return cls(
            pipeline=name,
            image_pipeline=image if image in images else None,
            data_bucket=source["S3Bucket"],
            prefix=key[: key.rfind("/") + 1],
            stacks=tuple(stacks),
        )


def _actions(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for stage in definition["stages"]:
        yield from stage["actions"]


def _providers(definition: dict[str, Any]) -> set[str]:
    return {action["actionTypeId"]["provider"] for action in _actions(definition)}
