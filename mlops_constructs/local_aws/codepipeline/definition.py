"""The rules for which CodePipeline rejects a pipeline's definition."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codepipeline.action_types import ACTION_TYPES
from mlops_constructs.local_aws.codepipeline.references import artifact_problems, variable_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_constructs.local_aws.codepipeline.state import Definition

INVALID_STRUCTURE = "InvalidStructureException"
INVALID_STAGE = "InvalidStageDeclarationException"
INVALID_ACTION = "InvalidActionDeclarationException"

# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
MIN_STAGES, MAX_STAGES = 2, 50
MAX_ACTIONS = 500
MAX_ACTIONS_OF_A_STAGE = 50
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
MAX_VALUE_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class DefinitionProblem:
    """One reason for which CreatePipeline and UpdatePipeline reject a definition.

    Attributes:
        code: The exception that they return.
        message: What is wrong, with the stage and the action.
    """

    code: str
    message: str


def definition_problems(pipeline: Definition) -> list[DefinitionProblem]:
    """Return every problem of a definition (the member `pipeline` of CreatePipeline), in the order of its parts."""
    return [
        *(DefinitionProblem(INVALID_STRUCTURE, message) for message in _structure(pipeline)),
        *(DefinitionProblem(INVALID_STAGE, message) for message in _stages(pipeline["stages"])),
        *(DefinitionProblem(INVALID_ACTION, message) for message in _actions(pipeline)),
    ]


def _structure(pipeline: Definition) -> Iterator[str]:
    stages = pipeline["stages"]
    if ("artifactStore" in pipeline) == ("artifactStores" in pipeline):
        yield "Pipeline must include either artifactStore or artifactStores, and not both"
    if len(stages) < MIN_STAGES:
        few = f"Pipeline has only {len(stages)} stage(s)."
        yield f"{few} There should be a minimum of {MIN_STAGES} stages in a pipeline"
    if len(stages) > MAX_STAGES:
        yield f"Pipeline has {len(stages)} stages. There should be a maximum of {MAX_STAGES} stages in a pipeline"
    count = sum(len(stage["actions"]) for stage in stages)
    if count > MAX_ACTIONS:
        yield f"Pipeline has {count} actions. There should be a maximum of {MAX_ACTIONS} actions in a pipeline"
    for name in _repeated(variable["name"] for variable in pipeline.get("variables", [])):
        yield f"Pipeline has the variable {name} more than once"


def _stages(stages: list[dict[str, Any]]) -> Iterator[str]:
    for name in _repeated(stage["name"] for stage in stages):
        yield f"Stage names must be unique. The stage {name} occurs more than once"
    for position, stage in enumerate(stages):
        name, actions = stage["name"], stage["actions"]
        if not 1 <= len(actions) <= MAX_ACTIONS_OF_A_STAGE:
            yield f"Stage {name} has {len(actions)} actions; it must have 1 to {MAX_ACTIONS_OF_A_STAGE}"
        for action in _repeated(action["name"] for action in actions):
            yield f"Action names must be unique within a stage. The action {action} occurs more than once in {name}"
        kinds = {action["actionTypeId"]["category"] == "Source" for action in actions}
        if position == 0 and False in kinds:
            yield f"Pipeline should start with a stage that only contains source actions; {name} has others"
        if position > 0 and True in kinds:
            yield f"Pipeline can have source actions in its first stage only; {name} has one"


def _actions(pipeline: Definition) -> Iterator[str]:
    stages = pipeline["stages"]
    for stage in stages:
        for action in stage["actions"]:
            yield from _action(action)
    yield from _namespaces(stages)
    yield from artifact_problems(stages)
    yield from variable_problems(stages, {variable["name"] for variable in pipeline.get("variables", [])})


def _action(action: dict[str, Any]) -> Iterator[str]:
    name, asked = action["name"], action["actionTypeId"]
    kind = ACTION_TYPES.get((asked["category"], asked["owner"], asked["provider"]))
    if kind is None or asked["version"] != "1":
        parts = ", ".join(f"{part.title()}: '{asked[part]}'" for part in ("category", "provider", "owner", "version"))
        yield f"ActionType ({parts}) in action '{name}' is not available in the local AWS"
        return
    for what, (least, most) in (("input", kind.inputs), ("output", kind.outputs)):
        count = len(action.get(f"{what}Artifacts", []))
        if count < least:
            yield f"Action {name} declares {count} {what} artifacts which is less than the minimum count ({least})"
        if count > most:
            yield f"Action {name} declares {count} {what} artifacts which is more than the maximum count ({most})"
    configuration = action.get("configuration", {})
    for key in sorted(kind.required - configuration.keys()):
        yield f"Action configuration for action '{name}' is missing required configuration '{key}'"
    for key, value in configuration.items():
        if not 1 <= len(value) <= MAX_VALUE_LENGTH:
            yield f"Action configuration '{key}' for action '{name}' must have 1 to {MAX_VALUE_LENGTH} characters"
    if "timeoutInMinutes" in action and asked["category"] != "Approval":
        yield f"TimeoutInMinutes is available to manual approval actions only; action '{name}' is not one"


def _namespaces(stages: list[dict[str, Any]]) -> Iterator[str]:
    placed = [
        (f"StageName=[{stage['name']}], ActionName=[{action['name']}], Namespace=[{action['namespace']}]", action)
        for stage in stages
        for action in stage["actions"]
        if "namespace" in action
    ]
    counts = Counter(action["namespace"] for _, action in placed)
    artifacts = {
        artifact["name"]
        for stage in stages
        for action in stage["actions"]
        for artifact in chain(action.get("inputArtifacts", []), action.get("outputArtifacts", []))
    }
    # "Namespaces must be unique across the pipeline definition and cannot conflict with any artifact names."
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
    for where, action in placed:
        if counts[action["namespace"]] > 1:
            yield (
                "Namespaces must be unique across the pipeline definition. "
                f"The following occur more than once in the pipeline. {where}"
            )
        if action["namespace"] in artifacts:
            yield f"Namespaces cannot conflict with any artifact names. {where}"
        if action["namespace"] in ("codepipeline", "variables"):
            yield f"The namespace is reserved for the pipeline's own variables. {where}"


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
