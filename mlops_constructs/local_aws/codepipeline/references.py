"""References of actions to artifacts and variables of earlier actions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codepipeline.action_types import ACTION_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANY_REFERENCE = re.compile(r"#\{([^}]*)\}")
_FORMAT = "Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.)."


def artifact_problems(stages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a problem for each input artifact that no earlier action declares, and for each repeated output artifact.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/welcome-introducing-artifacts.html
    """
    made: set[str] = set()
    for _, action in in_order(stages):
        for artifact in action.get("outputArtifacts", []):
            if artifact["name"] in made:
                yield f"Output artifact names must be unique within a pipeline: {artifact['name']} of {action['name']}"
            made.add(artifact["name"])
    for stage, action in in_order(stages):
        before = {
            artifact["name"] for one in _earlier(stages, stage, action) for artifact in one.get("outputArtifacts", [])
        }
        for artifact in action.get("inputArtifacts", []):
            if artifact["name"] not in before:
                yield (
                    f"Input Artifact Bundle {artifact['name']} in action {action['name']} is not declared as "
                    "Output Artifact Bundle in any of the preceding actions"
                )


def variable_problems(stages: list[dict[str, Any]], declared: set[str]) -> Iterator[str]:
    """Yield a problem for each reference to a variable that does not exist when the action runs.

    Args:
        stages: The stages of a definition.
        declared: Names of the pipeline's own variables.
    """
    for stage, action in in_order(stages):
        known = {one["namespace"]: _keys_of(one) for one in _earlier(stages, stage, action) if "namespace" in one}
        known |= {"codepipeline": frozenset({"PipelineExecutionId"}), "variables": frozenset(declared)}
        for key, value in action.get("configuration", {}).items():
            for text in _ANY_REFERENCE.findall(value):
                namespace, _, name = text.partition(".")
                keys = known.get(namespace, frozenset())
                if keys is None or name in keys:
                    continue
                what = "a variable" if namespace in known else "a namespace"
                yield (
                    f"{_FORMAT} The following pipeline execution variables are referencing {what} that does not exist. "
                    f"StageName=[{stage['name']}], ActionName=[{action['name']}], ActionConfigurationKey=[{key}], "
                    f"VariableReferenceText=[{text}]"
                )


def in_order(stages: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield stage and action in the order in which they run; actions of the same run order as they are declared."""
    for stage in stages:
        for action in sorted(stage["actions"], key=_run_order):
            yield stage, action


def _earlier(stages: list[dict[str, Any]], stage: dict[str, Any], action: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the actions that have ended when this one begins."""
    for other_stage, other in in_order(stages):
        if other_stage is stage:
            if _run_order(other) < _run_order(action):
                yield other
            continue
        if stages.index(other_stage) > stages.index(stage):
            return
        yield other


def _keys_of(action: dict[str, Any]) -> frozenset[str] | None:
    asked = action["actionTypeId"]
    kind = ACTION_TYPES.get((asked["category"], asked["owner"], asked["provider"]))
    return None if kind is None else kind.variables


def _run_order(action: dict[str, Any]) -> int:
    return int(action.get("runOrder", 1))
