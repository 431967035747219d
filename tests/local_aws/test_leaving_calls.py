"""What somebody calls who leaves a pipeline: closed transitions, resources by their tags, stacks that are stuck."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import STEP_SOURCE, Bench, action, make_function, make_role, s3_source, step, wait_for

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = json.dumps(
    {
        "Resources": {
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "AlarmName": "stuck",
                    "Namespace": "AWS/SageMaker",
                    "MetricName": "Invocations",
                    "Statistic": "Sum",
                    "Period": 60,
                    "EvaluationPeriods": 1,
                    "Threshold": 1,
                    "ComparisonOperator": "GreaterThanThreshold",
                },
            }
        }
    }
)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        bench = Bench(aws)
        bench.upload()
        make_function(aws, "step", STEP_SOURCE)
        yield bench


def transition(bench: Bench, verb: str, name: str, stage: str = "Stage2", kind: str = "Inbound") -> None:
    more = {"reason": "a test"} if verb == "disable" else {}
    call = getattr(bench.codepipeline, f"{verb}_stage_transition")
    call(pipelineName=name, stageName=stage, transitionType=kind, **more)


def waiting(bench: Bench, name: str) -> str:
    """Start an execution that waits before its second stage."""
    first = bench.make_pipeline(name, [s3_source()], [step("One", {})])
    bench.finished(name, first)
    transition(bench, "disable", name)
    execution = bench.start(name)
    wait_for(lambda: bench.actions(name, execution).get("Dataset", {}).get("status") == "Succeeded")
    return execution


def test_an_execution_waits_before_a_closed_stage_and_goes_on_when_it_opens(bench: Bench) -> None:
    execution = waiting(bench, "opened")
    state = bench.codepipeline.get_pipeline_state(name="opened")["stageStates"][1]["inboundTransitionState"]
    assert (state["enabled"], state["disabledReason"]) == (False, "a test")
    assert (bench.status("opened", execution), "One" in bench.actions("opened", execution)) == ("InProgress", False)
    transition(bench, "enable", "opened")
    assert bench.finished("opened", execution) == "Succeeded"


def test_an_execution_that_waits_can_be_stopped(bench: Bench) -> None:
    execution = waiting(bench, "stopped")
    bench.codepipeline.stop_pipeline_execution(pipelineName="stopped", pipelineExecutionId=execution, abandon=True)
    assert bench.finished("stopped", execution) == "Stopped"
    assert "One" not in bench.actions("stopped", execution)


@pytest.mark.parametrize(
    ("stage", "kind", "code"),
    [
        ("Stage1", "Inbound", "ValidationException"),
        ("Stage9", "Inbound", "StageNotFoundException"),
        ("Stage2", "Outbound", "NotImplementedException"),
    ],
)
def test_what_cannot_be_closed_is_refused(bench: Bench, stage: str, kind: str, code: str) -> None:
    name = f"refused-{stage}-{kind}".lower()
    bench.make_pipeline(name, [s3_source()], [action("Approve", "Manual", {})])
    with pytest.raises(ClientError, match=code):
        transition(bench, "disable", name, stage, kind)


def test_resources_are_found_by_all_their_tags(bench: Bench) -> None:
    role = make_role(bench.aws, "serving", "sagemaker")
    sagemaker, tagging = bench.aws.client("sagemaker"), bench.aws.client("resourcegroupstaggingapi")
    for name, value in (("mine", "iris"), ("theirs", "rose")):
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, Tags=[{"Key": "mlops:pipeline", "Value": value}])
    sagemaker.create_model(ModelName="untagged", ExecutionRoleArn=role)

    def found(*filters: dict[str, Any]) -> list[str]:
        answer = tagging.get_resources(TagFilters=list(filters), ResourceTypeFilters=["sagemaker:model"])
        return sorted(one["ResourceARN"].rpartition("/")[2] for one in answer["ResourceTagMappingList"])

    assert found({"Key": "mlops:pipeline", "Values": ["iris"]}) == ["mine"]
    assert found({"Key": "mlops:pipeline"}) == ["mine", "theirs"]
    assert found({"Key": "mlops:pipeline", "Values": ["iris"]}, {"Key": "other"}) == []
    with pytest.raises(ClientError, match="does not find resources of sns by tags"):
        tagging.get_resources(ResourceTypeFilters=["sns"])


def create(bench: Bench, name: str, **more: str) -> None:
    bench.aws.client("cloudformation").create_stack(StackName=name, TemplateBody=TEMPLATE, **more)
    wait_for(lambda: status(bench, name) == "CREATE_COMPLETE")


def status(bench: Bench, name: str) -> str | None:
    stack = bench.aws.cloudformation.live_stack(name)
    return None if stack is None else stack.status


def test_a_stack_that_could_not_be_deleted_can_be_forced_and_no_other(bench: Bench) -> None:
    cloudformation = bench.aws.client("cloudformation")
    create(bench, "stuck")
    with pytest.raises(ClientError, match="only DELETE_FAILED stacks can retain resources"):
        cloudformation.delete_stack(StackName="stuck", DeletionMode="FORCE_DELETE_STACK")
    stack = bench.aws.cloudformation.live_stack("stuck")
    assert stack is not None
    stack.status = stack.resources["Alarm"].status = "DELETE_FAILED"
    cloudformation.delete_stack(StackName="stuck", DeletionMode="FORCE_DELETE_STACK")
    wait_for(lambda: status(bench, "stuck") is None)
    assert bench.aws.client("cloudwatch").describe_alarms(AlarmNames=["stuck"])["MetricAlarms"]


def test_a_stack_whose_role_is_gone_stays_as_it_is(bench: Bench) -> None:
    role = make_role(bench.aws, "deployer", "cloudformation")
    create(bench, "orphaned", RoleARN=role)
    iam = bench.aws.client("iam")
    iam.delete_role_policy(RoleName="deployer", PolicyName="everything")
    iam.delete_role(RoleName="deployer")
    with pytest.raises(ClientError, match="assume"):
        bench.aws.client("cloudformation").delete_stack(StackName="orphaned")
    assert status(bench, "orphaned") == "CREATE_COMPLETE"
