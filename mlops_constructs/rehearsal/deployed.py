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
    def find(cls, codepipeline: Any) -> Deployed:
        """Read the deployed pipelines.

        Raises:
            RehearsalError: when there is not exactly one ML pipeline.
        """
        names = [summary["name"] for summary in codepipeline.list_pipelines()["pipelines"]]
        definitions = {name: codepipeline.get_pipeline(name=name)["pipeline"] for name in names}
        ml = [name for name in names if _providers(definitions[name]) >= {"S3", "Lambda", "Manual"}]
        image = [name for name in names if "CodeBuild" in _providers(definitions[name])]
        if len(ml) != 1:
            found = ", ".join(ml) or "none"
            raise RehearsalError(f"a rehearsal needs a stack with exactly one MLOpsPipeline; it has: {found}")
        source = next(
            action["configuration"]
            for action in _actions(definitions[ml[0]])
            if action["configuration"].get("AllowOverrideForS3ObjectKey") == "true"
        )
        stacks = dict.fromkeys(
            action["configuration"]["StackName"]
            for action in _actions(definitions[ml[0]])
            if action["actionTypeId"]["provider"] == "CloudFormation"
        )
        key: str = source["S3ObjectKey"]
        return cls(
            pipeline=ml[0],
            image_pipeline=image[0] if image else None,
            data_bucket=source["S3Bucket"],
            prefix=key[: key.rfind("/") + 1],
            stacks=tuple(stacks),
        )


def _actions(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for stage in definition["stages"]:
        yield from stage["actions"]


def _providers(definition: dict[str, Any]) -> set[str]:
    return {action["actionTypeId"]["provider"] for action in _actions(definition)}
