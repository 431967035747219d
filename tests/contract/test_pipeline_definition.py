"""The library and the local AWS share no code, and refuse the same definitions of pipelines."""

from __future__ import annotations

from typing import Any

import pytest
from local_aws.definition_cases import REFUSED, Definition, definition
from preflight.synthesized_stacks import real
from synthesized_programs import PROGRAMS

from mlops_constructs._aws.actions import Action, PipelineStage, Variable
from mlops_constructs._aws.definition import SOURCE_VARIABLES
from mlops_constructs._aws.definition import definition_problems as told_at_synth
from mlops_constructs.local_aws.codepipeline.action_types import ACTION_TYPES
from mlops_constructs.local_aws.codepipeline.definition import definition_problems

# What the library's own types cannot say, or what only a stage of another kind could.
NOT_WRITTEN = {
    "first_stage_only",
    "too_many_stages",
    "too_many_actions",
    "no_artifact_store",
    "two_kinds_of_artifact_stores",
    "stage_without_actions",
    "crowded_stage",
    "source_later",
    "other_among_sources",
    "variable_twice",
    "namespace_of_the_pipeline",
    "source_without_output",
    "approval_with_input",
    "build_without_input",
    "six_outputs",
    "build_without_project",
    "empty_value",
    "timeout_of_a_function",
    "unknown_provider",
    "unknown_version",
    "provider_in_another_category",
}
SHARED = [spoil for spoil, _, _ in REFUSED if spoil.__name__ not in NOT_WRITTEN]


def problems_at_synth(pipeline: Definition) -> list[Any]:
    stages = [
        PipelineStage(stage["name"], [to_action(action) for action in stage["actions"]]) for stage in pipeline["stages"]
    ]
    variables = [
        Variable(name=one["name"], default=one["defaultValue"], description="d") for one in pipeline["variables"]
    ]
    return [problem for stage in stages for problem in stage.problems()] + list(told_at_synth(stages, variables))


def to_action(action: Definition) -> Action:
    return Action(
        name=action["name"],
        category=action["actionTypeId"]["category"],
        action_provider=action["actionTypeId"]["provider"],
        configuration=action["configuration"],
        run_order=action.get("runOrder", 1),
        namespace=action.get("namespace"),
        inputs=[artifact["name"] for artifact in action.get("inputArtifacts", [])],
        outputs=[artifact["name"] for artifact in action.get("outputArtifacts", [])],
    )


def test_sound_definition_is_taken_by_both() -> None:
    assert problems_at_synth(definition()) == []
    assert definition_problems(definition()) == []


@pytest.mark.parametrize("spoil", SHARED, ids=[spoil.__name__ for spoil in SHARED])
def test_definition_is_refused_by_both(spoil: Any) -> None:
    pipeline = definition()
    spoil(pipeline)
    assert problems_at_synth(pipeline)
    assert definition_problems(pipeline)


def test_both_know_the_same_variables_of_sources() -> None:
    known = {provider: kind.variables for (category, _, provider), kind in ACTION_TYPES.items() if category == "Source"}
    assert known == SOURCE_VARIABLES


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_pipeline_of_this_repository_is_taken(program: str) -> None:
    made = [one.arguments for one in real(program).resources if one.type == "aws_codepipeline"]
    assert made
    for arguments in made:
        assert definition_problems(as_definition(arguments)) == []


def as_definition(arguments: dict[str, Any]) -> Definition:
    """Terraform's arguments in CodePipeline's own words."""
    return {
        "name": arguments["name"],
        "artifactStore": arguments["artifact_store"][0],
        "variables": [{"name": one["name"]} for one in arguments.get("variable", [])],
        "stages": [
            {"name": stage["name"], "actions": [as_action(action) for action in stage["action"]]}
            for stage in arguments["stage"]
        ],
    }


def as_action(action: dict[str, Any]) -> Definition:
    kind = {part: action[part] for part in ("category", "owner", "provider", "version")}
    made = {"name": action["name"], "actionTypeId": kind, "runOrder": action.get("run_order", 1)}
    made["configuration"] = action.get("configuration", {})
    for artifacts in ("input_artifacts", "output_artifacts"):
        made[artifacts.replace("_a", "A")] = [{"name": name} for name in action.get(artifacts, [])]
    renamed = {"namespace": "namespace", "timeout_in_minutes": "timeoutInMinutes"}
    return made | {ours: action[theirs] for theirs, ours in renamed.items() if theirs in action}
