"""Definitions of pipelines that CodePipeline refuses: changes of one that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.tiny_pipeline import action, s3_source, step

if TYPE_CHECKING:
    from collections.abc import Callable

Definition = dict[str, Any]
ACTION, STAGE, STRUCTURE = (
    f"Invalid{what}Exception" for what in ("ActionDeclaration", "StageDeclaration", "Structure")
)


def approval(name: str = "Approve", **more: Any) -> Definition:
    return action(name, "Manual", {"CustomData": "of #{Dataset.ObjectKey}"}, **more)


def definition() -> Definition:
    """A pipeline that is in order, with a use of everything."""
    made = [{"name": "Made"}]
    used = [{"name": "DatasetObject"}, *made]
    return {
        "name": "sound",
        "pipelineType": "V2",
        "executionMode": "QUEUED",
        "artifactStore": {"type": "S3", "location": "artifact-bucket"},
        "variables": [{"name": "Release", "defaultValue": "none"}],
        "stages": [
            {"name": "Source", "actions": [s3_source()]},
            {
                "name": "Work",
                "actions": [
                    step("Use", {"value": "#{Make.Value} #{variables.Release}"}, runOrder=2, inputArtifacts=used),
                    step("Make", {"value": "#{Dataset.VersionId}"}, runOrder=1, outputArtifacts=made),
                ],
            },
            {"name": "Ask", "actions": [approval(timeoutInMinutes=5)]},
        ],
    }


def work(pipeline: Definition, index: int = 0) -> Definition:
    found: Definition = pipeline["stages"][1]["actions"][index]
    return found


def first_stage_only(pipeline: Definition) -> None:
    pipeline["stages"] = pipeline["stages"][:1]


def too_many_stages(pipeline: Definition) -> None:
    pipeline["stages"] += [{"name": f"More{number}", "actions": [approval()]} for number in range(48)]


def too_many_actions(pipeline: Definition) -> None:
    pipeline["stages"] += [
        {"name": f"More{stage}", "actions": [approval(f"Ask{number}") for number in range(50)]} for stage in range(10)
    ]


def stage_twice(pipeline: Definition) -> None:
    pipeline["stages"].append({"name": "Ask", "actions": [approval("Again")]})


def stage_without_actions(pipeline: Definition) -> None:
    pipeline["stages"].append({"name": "Empty", "actions": []})


def crowded_stage(pipeline: Definition) -> None:
    pipeline["stages"][2]["actions"] = [approval(f"Ask{number}") for number in range(51)]


def action_twice(pipeline: Definition) -> None:
    pipeline["stages"][2]["actions"].append(approval())


def source_later(pipeline: Definition) -> None:
    late = {**s3_source(), "name": "Late", "namespace": "Late", "outputArtifacts": [{"name": "LateObject"}]}
    pipeline["stages"][2]["actions"].append(late)


def other_among_sources(pipeline: Definition) -> None:
    pipeline["stages"][0]["actions"].append(action("Approve", "Manual", {}))


def variable_twice(pipeline: Definition) -> None:
    pipeline["variables"].append({"name": "Release", "defaultValue": "other"})


def no_artifact_store(pipeline: Definition) -> None:
    del pipeline["artifactStore"]


def two_kinds_of_artifact_stores(pipeline: Definition) -> None:
    pipeline["artifactStores"] = {"us-east-1": pipeline["artifactStore"]}


def namespace_twice(pipeline: Definition) -> None:
    work(pipeline)["namespace"] = "Make"


def namespace_of_an_artifact(pipeline: Definition) -> None:
    work(pipeline)["namespace"] = "DatasetObject"


def namespace_of_the_pipeline(pipeline: Definition) -> None:
    work(pipeline)["namespace"] = "variables"


def output_twice(pipeline: Definition) -> None:
    work(pipeline)["outputArtifacts"] = [{"name": "Made"}]


def input_of_nobody(pipeline: Definition) -> None:
    work(pipeline)["inputArtifacts"] = [{"name": "Nothing"}]


def input_of_the_same_run_order(pipeline: Definition) -> None:
    work(pipeline)["runOrder"] = 1
    work(pipeline)["configuration"]["UserParameters"] = "{}"


def input_of_its_own_output(pipeline: Definition) -> None:
    work(pipeline, 1)["inputArtifacts"] = [{"name": "Made"}]


def variable_of_a_later_action(pipeline: Definition) -> None:
    work(pipeline, 1)["configuration"]["UserParameters"] = "#{Use.Value}"


def variable_of_no_namespace(pipeline: Definition) -> None:
    work(pipeline)["configuration"]["UserParameters"] = "#{Nobody.Value}"


def variable_that_s3_does_not_set(pipeline: Definition) -> None:
    work(pipeline)["configuration"]["UserParameters"] = "#{Dataset.Size}"


def variable_that_is_not_declared(pipeline: Definition) -> None:
    work(pipeline)["configuration"]["UserParameters"] = "#{variables.Other}"


def variable_that_codepipeline_does_not_set(pipeline: Definition) -> None:
    work(pipeline)["configuration"]["UserParameters"] = "#{codepipeline.PipelineName}"


def variable_without_namespace(pipeline: Definition) -> None:
    work(pipeline)["configuration"]["UserParameters"] = "#{Value}"


def variable_of_an_approval(pipeline: Definition) -> None:
    pipeline["stages"][2]["actions"][0]["namespace"] = "Asked"
    told = {**approval("Tell", runOrder=2), "configuration": {"CustomData": "#{Asked.Summary}"}}
    pipeline["stages"][2]["actions"].append(told)


def source_without_output(pipeline: Definition) -> None:
    pipeline["stages"][0]["actions"].append(
        {**s3_source(), "name": "Other", "namespace": "Other", "outputArtifacts": []}
    )


def source_with_input(pipeline: Definition) -> None:
    pipeline["stages"][0]["actions"][0]["inputArtifacts"] = [{"name": "DatasetObject"}]


def approval_with_input(pipeline: Definition) -> None:
    pipeline["stages"][2]["actions"][0]["inputArtifacts"] = [{"name": "Made"}]


def build_without_input(pipeline: Definition) -> None:
    pipeline["stages"][2]["actions"].append(action("Build", "CodeBuild", {"ProjectName": "p"}))


def six_outputs(pipeline: Definition) -> None:
    work(pipeline)["outputArtifacts"] = [{"name": f"Out{number}"} for number in range(6)]


def build_without_project(pipeline: Definition) -> None:
    build = action("Build", "CodeBuild", {}, inputArtifacts=[{"name": "Made"}])
    pipeline["stages"][2]["actions"].append(build)


def empty_value(pipeline: Definition) -> None:
    work(pipeline)["configuration"]["UserParameters"] = ""


def long_value(pipeline: Definition) -> None:
    work(pipeline)["configuration"]["UserParameters"] = "x" * 1001


def timeout_of_a_function(pipeline: Definition) -> None:
    work(pipeline)["timeoutInMinutes"] = 10


def unknown_provider(pipeline: Definition) -> None:
    work(pipeline)["actionTypeId"]["provider"] = "Jenkins"


def unknown_version(pipeline: Definition) -> None:
    work(pipeline)["actionTypeId"]["version"] = "2"


def provider_in_another_category(pipeline: Definition) -> None:
    work(pipeline)["actionTypeId"]["category"] = "Deploy"


REFUSED: list[tuple[Callable[[Definition], None], str, str]] = [
    (first_stage_only, STRUCTURE, "minimum of 2 stages"),
    (too_many_stages, STRUCTURE, "maximum of 50 stages"),
    (too_many_actions, STRUCTURE, "maximum of 500 actions"),
    (variable_twice, STRUCTURE, "the variable Release more than once"),
    (no_artifact_store, STRUCTURE, "either artifactStore or artifactStores"),
    (two_kinds_of_artifact_stores, STRUCTURE, "either artifactStore or artifactStores"),
    (stage_twice, STAGE, "The stage Ask occurs more than once"),
    (stage_without_actions, STAGE, "Stage Empty has 0 actions"),
    (crowded_stage, STAGE, "Stage Ask has 51 actions"),
    (action_twice, STAGE, "The action Approve occurs more than once"),
    (source_later, STAGE, "in its first stage only"),
    (other_among_sources, STAGE, "only contains source actions"),
    (namespace_twice, ACTION, r"Namespaces must be unique .* StageName=\[Work\], ActionName=\[Use\]"),
    (namespace_of_an_artifact, ACTION, "cannot conflict with any artifact names"),
    (namespace_of_the_pipeline, ACTION, "reserved"),
    (output_twice, ACTION, "Output artifact names must be unique"),
    (input_of_nobody, ACTION, "Nothing in action Use is not declared"),
    (input_of_the_same_run_order, ACTION, "Made in action Use is not declared"),
    (input_of_its_own_output, ACTION, "Made in action Make is not declared"),
    (variable_of_a_later_action, ACTION, r"a namespace that does not exist.*VariableReferenceText=\[Use.Value\]"),
    (variable_of_no_namespace, ACTION, r"a namespace that does not exist.*VariableReferenceText=\[Nobody.Value\]"),
    (variable_that_s3_does_not_set, ACTION, r"a variable that does not exist.*VariableReferenceText=\[Dataset.Size\]"),
    (variable_that_is_not_declared, ACTION, "a variable that does not exist"),
    (variable_that_codepipeline_does_not_set, ACTION, "a variable that does not exist"),
    (variable_without_namespace, ACTION, "a namespace and a key separated by a period"),
    (variable_of_an_approval, ACTION, "a variable that does not exist"),
    (source_without_output, ACTION, r"declares 0 output artifacts which is less than the minimum count \(1\)"),
    (source_with_input, ACTION, r"declares 1 input artifacts which is more than the maximum count \(0\)"),
    (approval_with_input, ACTION, r"declares 1 input artifacts which is more than the maximum count \(0\)"),
    (build_without_input, ACTION, r"declares 0 input artifacts which is less than the minimum count \(1\)"),
    (six_outputs, ACTION, r"declares 6 output artifacts which is more than the maximum count \(5\)"),
    (build_without_project, ACTION, "missing required configuration 'ProjectName'"),
    (empty_value, ACTION, "must have 1 to 1000 characters"),
    (long_value, ACTION, "must have 1 to 1000 characters"),
    (timeout_of_a_function, ACTION, "manual approval actions only"),
    (unknown_provider, ACTION, "'Jenkins'.* is not available in the local AWS"),
    (unknown_version, ACTION, "Version: '2'"),
    (provider_in_another_category, ACTION, "Category: 'Deploy', Provider: 'Lambda'"),
]
