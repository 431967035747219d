"""Synthesize a pipeline in a test, and read the Terraform JSON."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cdktf import TerraformStack, Testing

from mlops_constructs import Algorithm, Dataset, MLOpsPipeline
from mlops_constructs._payload import DOCUMENT, _scratch
from mlops_constructs.provider import AwsProvider

ROOT = Path(__file__).resolve().parents[1]
CONTAINER = ROOT / "container"


@dataclass(frozen=True)
class Synthesized:
    """One stack's Terraform JSON.

    Attributes:
        text: As written.
        document: As parsed.
        pipeline: The construct.
    """

    text: str
    document: dict[str, Any]
    pipeline: MLOpsPipeline

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """Give the resources of a type by logical id."""
        return self.document["resource"].get(kind, {})

    def one(self, kind: str, **having: object) -> dict[str, Any]:
        """Give the only resource of a type whose arguments are as given."""
        found = [
            resource
            for resource in self.all(kind).values()
            if all(resource.get(name) == value for name, value in having.items())
        ]
        assert len(found) == 1, f"{len(found)} resources {kind} with {having}"
        return found[0]

    def function_document(self, folder: str) -> dict[str, Any]:
        """Give what lies as ``document.json`` in the archive of a function."""
        name = self.one("aws_lambda_function", handler=f"{folder}.handler.handler")["function_name"]
        digest = self.one("aws_s3_object", key=f"functions/{name}.zip")["source_hash"]
        with zipfile.ZipFile(archive_at(digest, folder)) as archive:
            read: dict[str, Any] = json.loads(archive.read(DOCUMENT))
        return read

    def policy(self, role_suffix: str) -> list[dict[str, Any]]:
        """Give the statements of the role whose name ends so (before its region)."""
        names = {
            f"${{aws_iam_role.{id_}.id}}": role["name"].removesuffix("-${data.aws_region.p_region_id.name}")
            for id_, role in self.all("aws_iam_role").items()
        }
        for policy in self.all("aws_iam_role_policy").values():
            name = names[policy["role"]]
            if name.rpartition("-${")[0].endswith(role_suffix):
                return json.loads(policy["policy"])["Statement"]
        raise AssertionError(f"no role ends with {role_suffix}: {sorted(names.values())}")

    def stages(self) -> dict[str, list[dict[str, Any]]]:
        """Give the ML pipeline's actions by stage."""
        definition = self.one("aws_codepipeline", name=self.pipeline.name)
        return {stage["name"]: stage["action"] for stage in definition["stage"]}


def archive_at(digest: str, folder: str) -> Path:
    """Give the zip that a function of ``lambdas/`` is deployed from, by the digest in the stack."""
    return _scratch() / digest / f"{folder}.zip"


def new_stack() -> TerraformStack:
    """Make an empty stack with a provider, in an app of its own."""
    stack = TerraformStack(Testing.app(), "s")
    AwsProvider(stack, "aws", region="us-east-1")
    return stack


def document_of(stack: TerraformStack) -> dict[str, Any]:
    """Synthesize a stack."""
    document: dict[str, Any] = json.loads(Testing.synth(stack, True))
    return document


def synth(id_: str = "p", **options: Any) -> Synthesized:
    """Synthesize a stack with one pipeline; algorithm and data set are those of main.py unless given."""
    pipeline, text = _plain() if id_ == "p" and not options else _synthesize(id_, options)
    return Synthesized(text, json.loads(text), pipeline)


@cache
def _plain() -> tuple[MLOpsPipeline, str]:
    """The pipeline that most tests read."""
    return _synthesize("p", {})


def _synthesize(id_: str, options: dict[str, Any]) -> tuple[MLOpsPipeline, str]:
    given = {"algorithm": Algorithm.from_directory(CONTAINER), "dataset": Dataset(), **options}
    stack = new_stack()
    pipeline = MLOpsPipeline(stack, id_, **given)
    return pipeline, Testing.synth(stack, True)
