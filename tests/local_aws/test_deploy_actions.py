"""CloudFormation and CodeBuild actions, against the services of the local AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import DATA, Bench, action, make_role, zip_of

from mlops_constructs.local_aws.faults.faults import Faults
from mlops_constructs.local_aws.faults.model import stack_states
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "AlarmName": {"Ref": "Name"},
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": {"Ref": "Threshold"},
    },
}
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Name": {"Type": "String"}, "Threshold": {"Type": "String", "Default": "1"}},
    "Resources": {"Alarm": ALARM},
    "Outputs": {"AlarmName": {"Value": {"Ref": "Alarm"}}},
}
BROKEN = {
    **TEMPLATE,
    "Resources": {
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointName": {"Ref": "Name"}, "EndpointConfigName": "no-such-config"},
        }
    },
    "Outputs": {},
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        bench = Bench(aws)
        make_role(aws, "stack-role", "cloudformation")
        yield bench


def source(key: str) -> dict[str, Any]:
    configuration = {"S3Bucket": DATA, "S3ObjectKey": key, "PollForSourceChanges": "false"}
    return action("Templates", "S3", configuration, outputArtifacts=[{"name": "Templates"}])


def stack_action(bench: Bench, name: str, mode: str, stack: str, **more: str) -> dict[str, Any]:
    made = action(
        name,
        "CloudFormation",
        {
            "ActionMode": mode,
            "StackName": stack,
            "RoleArn": f"arn:aws:iam::{bench.aws.account_id}:role/stack-role",
            **more,
        },
        inputArtifacts=[{"name": "Templates"}],
        namespace=name,
    )
    made["actionTypeId"]["category"] = "Deploy"
    return made


def upload_template(bench: Bench, template: dict[str, Any], parameters: dict[str, str]) -> None:
    settings = {"Parameters": parameters}
    files = {"stack.json": json.dumps(template), "settings.json": json.dumps(settings)}
    bench.upload(zip_of(files), key="templates.zip")


TEMPLATE_FILES = {"TemplatePath": "Templates::stack.json", "TemplateConfiguration": "Templates::settings.json"}


def threshold(bench: Bench, alarm: str) -> float:
    found = bench.aws.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return float(found[0]["Threshold"])


def test_create_then_update_a_stack(bench: Bench) -> None:
    deploy = stack_action(
        bench,
        "Deploy",
        "CREATE_UPDATE",
        "plain",
        ParameterOverrides='{"Threshold": {"Fn::GetParam": ["Templates", "settings.json", "Wanted"]}}',
        **TEMPLATE_FILES,
    )
    for wanted in ("3", "4"):
        files = {
            "stack.json": json.dumps(TEMPLATE),
            "settings.json": json.dumps({"Parameters": {"Name": "plain"}, "Wanted": wanted}),
        }
        bench.upload(zip_of(files), key="templates.zip")
        if wanted == "3":
            execution = bench.make_pipeline("plain", [source("templates.zip")], [deploy])
        else:
            execution = bench.start("plain")
        assert bench.finished("plain", execution) == "Succeeded", bench.executions("plain")[0]
        assert bench.variables("plain", execution, "Deploy") == {"AlarmName": "plain"}
        assert threshold(bench, "plain") == float(wanted)


def test_unchanged_stack_is_a_success(bench: Bench) -> None:
    upload_template(bench, TEMPLATE, {"Name": "same"})
    deploy = stack_action(bench, "Deploy", "CREATE_UPDATE", "same", **TEMPLATE_FILES)
    bench.finished("same", bench.make_pipeline("same", [source("templates.zip")], [deploy]))
    again = bench.start("same")
    assert bench.finished("same", again) == "Succeeded"


def test_26_failed_stack_names_the_first_failed_resource_and_is_replaced(bench: Bench) -> None:
    upload_template(bench, BROKEN, {"Name": "broken"})
    deploy = stack_action(bench, "Deploy", "REPLACE_ON_FAILURE", "replaced", **TEMPLATE_FILES)
    first = bench.make_pipeline("replaced", [source("templates.zip")], [deploy])
    assert bench.finished("replaced", first) == "Failed"
    message = bench.error("replaced", first, "Deploy")["message"]
    assert message.startswith("the stack replaced is ROLLBACK_COMPLETE: Endpoint (AWS::SageMaker::Endpoint): ")
    upload_template(bench, TEMPLATE, {"Name": "mended"})
    second = bench.start("replaced")
    assert bench.finished("replaced", second) == "Succeeded"
    assert threshold(bench, "mended") == 1


def test_change_set_is_prepared_executed_and_may_be_empty(bench: Bench) -> None:
    upload_template(bench, TEMPLATE, {"Name": "careful"})
    prepare = stack_action(bench, "Prepare", "CHANGE_SET_REPLACE", "careful", ChangeSetName="release", **TEMPLATE_FILES)
    execute = stack_action(bench, "Execute", "CHANGE_SET_EXECUTE", "careful", ChangeSetName="release")
    execute["runOrder"] = 2
    first = bench.make_pipeline("careful", [source("templates.zip")], [prepare, execute])
    assert bench.finished("careful", first) == "Succeeded", bench.executions("careful")[0]
    unchanged = bench.start("careful")
    assert bench.finished("careful", unchanged) == "Succeeded", bench.executions("careful")[0]
    upload_template(bench, TEMPLATE, {"Name": "careful", "Threshold": "7"})
    changed = bench.start("careful")
    assert bench.finished("careful", changed) == "Succeeded", bench.executions("careful")[0]
    assert threshold(bench, "careful") == 7


def test_deleted_stack_is_gone(bench: Bench) -> None:
    upload_template(bench, TEMPLATE, {"Name": "short"})
    create = stack_action(bench, "Create", "CREATE_UPDATE", "short", **TEMPLATE_FILES)
    delete = stack_action(bench, "Delete", "DELETE_ONLY", "short")
    delete["runOrder"] = 2
    execution = bench.make_pipeline("short", [source("templates.zip")], [create, delete])
    assert bench.finished("short", execution) == "Succeeded", bench.executions("short")[0]
    assert not bench.aws.client("cloudwatch").describe_alarms(AlarmNames=["short"])["MetricAlarms"]


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("ActionMode", "CHANGE_SET_DREAM", "does not support the action mode CHANGE_SET_DREAM"),
        ("TemplatePath", "Templates::none.json", "the artifact Templates contains no file none.json"),
        ("TemplatePath", "Other::stack.json", "Other is not an input artifact"),
        ("ParameterOverrides", "{", "ParameterOverrides is not JSON"),
    ],
)
def test_wrong_configuration_is_a_reason(bench: Bench, setting: str, value: str, reason: str) -> None:
    upload_template(bench, TEMPLATE, {"Name": "wrong"})
    deploy = stack_action(bench, "Deploy", "CREATE_UPDATE", "wrong", **TEMPLATE_FILES)
    deploy["configuration"][setting] = value
    name = f"wrong-{len(bench.codepipeline.list_pipelines()['pipelines'])}"
    execution = bench.make_pipeline(name, [source("templates.zip")], [deploy])
    assert bench.finished(name, execution) == "Failed"
    assert reason in bench.error(name, execution, "Deploy")["message"]


def make_project(bench: Bench, name: str, commands: list[str]) -> None:
    """A CodeBuild project that runs shell commands and exports DIGEST."""
    buildspec = {
        "version": "0.2",
        "env": {"exported-variables": ["DIGEST"]},
        "phases": {"build": {"commands": commands}},
    }
    bench.aws.client("codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE", "buildspec": json.dumps(buildspec)},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=make_role(bench.aws, f"{name}-role", "codebuild"),
    )


def build_action(project: str) -> dict[str, Any]:
    inputs = [{"name": "Templates"}]
    settings = json.dumps([{"name": "WORD", "value": "#{codepipeline.PipelineExecutionId}"}])
    configuration = {"ProjectName": project, "EnvironmentVariables": settings}
    return action("Build", "CodeBuild", configuration, inputArtifacts=inputs, namespace="Build")


def test_build_exports_its_variables(bench: Bench) -> None:
    bench.upload(zip_of({"word.txt": "hello"}), key="code.zip")
    make_project(bench, "exporting", ['export DIGEST="$(cat word.txt)-$WORD"'])
    execution = bench.make_pipeline("exporting", [source("code.zip")], [build_action("exporting")])
    assert bench.finished("exporting", execution) == "Succeeded", bench.executions("exporting")[0]
    assert bench.variables("exporting", execution, "Build")["DIGEST"] == f"hello-{execution}"


def test_failed_build_says_in_which_phase(bench: Bench) -> None:
    bench.upload(zip_of({"word.txt": "hello"}), key="code.zip")
    make_project(bench, "breaking", ["cat none.txt"])
    execution = bench.make_pipeline("breaking", [source("code.zip")], [build_action("breaking")])
    assert bench.finished("breaking", execution) == "Failed"
    message = bench.error("breaking", execution, "Build")["message"]
    assert "BUILD FAILED" in message
    assert "cat none.txt" in message


# What an action does with a stack in each state that it keeps. Which can be updated, and which
# REPLACE_ON_FAILURE deletes first: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
UPDATED = ("CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
REPLACED = ("CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED")
STUCK = ("IMPORT_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED", "UPDATE_FAILED")


def test_28_every_state_that_a_stack_keeps_has_a_row() -> None:
    kept = {state for state in stack_states() if not state.endswith(("_IN_PROGRESS", "_CLEANUP_IN_PROGRESS"))}
    assert kept == {*UPDATED, *REPLACED, *STUCK, "DELETE_COMPLETE"}


@pytest.fixture(scope="module")
def modes(bench: Bench) -> dict[str, list[dict[str, Any]]]:
    """A pipeline of each mode, on a stack of its own, which exists."""
    upload_template(bench, TEMPLATE, {"Name": "state"})
    prepare = stack_action(bench, "Prepare", "CHANGE_SET_REPLACE", "in-state-b", ChangeSetName="r", **TEMPLATE_FILES)
    execute = stack_action(bench, "Execute", "CHANGE_SET_EXECUTE", "in-state-b", ChangeSetName="r")
    execute["runOrder"] = 2
    made = {
        "in-state-a": [stack_action(bench, "Deploy", "REPLACE_ON_FAILURE", "in-state-a", **TEMPLATE_FILES)],
        "in-state-b": [prepare, execute],
    }
    for name, actions in made.items():
        first = bench.make_pipeline(name, [source("templates.zip")], actions)
        assert bench.finished(name, first) == "Succeeded"
    return made


@pytest.mark.parametrize("state", [*UPDATED, *REPLACED, *STUCK, "DELETE_COMPLETE", "UPDATE_IN_PROGRESS"])
@pytest.mark.parametrize("name", ["in-state-a", "in-state-b"], ids=["REPLACE_ON_FAILURE", "CHANGE_SET"])
def test_26_28_each_state_of_a_stack_is_updated_replaced_or_told(
    bench: Bench, modes: dict[str, list[dict[str, Any]]], name: str, state: str
) -> None:
    with Faults(bench.aws) as faults:
        faults.inject("stack", name, state, at="now")
        execution = bench.start(name)
        status = bench.finished(name, execution)
        goes_on = state in (*UPDATED, "DELETE_COMPLETE") or (state in REPLACED and name == "in-state-a")
        assert status == ("Succeeded" if goes_on else "Failed")
        if not goes_on:
            assert f"is in {state} state and can not be updated" in bench.executions(name)[0]["statusSummary"]
