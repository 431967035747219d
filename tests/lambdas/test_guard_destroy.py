"""A destroy is refused with a sentence while something is left; where it is allowed, that is deleted first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from guard_destroy.deletions import Deletions
from guard_destroy.guard import LeftError
from guard_destroy.handler import handler
from guard_destroy.left import Left
from guard_destroy.settings import Document

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

PIPELINE, EXECUTION = "iris-1a2b3c", "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
DOCUMENT = {
    "pipelines": {PIPELINE: "Check", f"{PIPELINE}-image": "Build"},
    "endpoints": [f"{PIPELINE}-production", f"{PIPELINE}-dev"],
    "job_prefixes": [PIPELINE],
    "deletes": False,
}
NO_STACK = ("ValidationError", "Stack with id x does not exist")
JOBS = {
    "ListTrainingJobs": "TrainingJobSummaries",
    "ListHyperParameterTuningJobs": "HyperParameterTuningJobSummaries",
    "ListProcessingJobs": "ProcessingJobSummaries",
    "ListTransformJobs": "TransformJobSummaries",
}
KINDS = ["alarm", "endpoint", "endpoint configuration", "execution", "model", "model package", "processing job"]
KINDS += ["scalable target", "stack", "training job", "transform job", "tuning job"]


class Account:
    """What AWS answers; empty unless told otherwise."""

    def __init__(self, script: Callable[[str], Any]) -> None:
        services = ("codepipeline", "cloudformation", "sagemaker", "application-autoscaling", "cloudwatch", "logs")
        self.of = {one: script(one) for one in (*services, "resourcegroupstaggingapi")}
        self.of["cloudformation"].refuse_rest("DescribeStacks", *NO_STACK)
        self.rest("codepipeline", "ListPipelineExecutions", pipelineExecutionSummaries=[])
        for operation, member in JOBS.items():
            self.rest("sagemaker", operation, **{member: []})
        self.rest("sagemaker", "ListEndpoints", Endpoints=[])
        self.rest("sagemaker", "ListModelPackages", ModelPackageSummaryList=[])
        self.rest("application-autoscaling", "DescribeScalableTargets", ScalableTargets=[])
        self.rest("cloudwatch", "DescribeAlarms", MetricAlarms=[])
        self.rest("resourcegroupstaggingapi", "GetResources", ResourceTagMappingList=[], PaginationToken="")
        self.rest("codepipeline", "DisableStageTransition")
        self.of["logs"].refuse_rest("DeleteLogGroup", "ResourceNotFoundException")

    def rest(self, service: str, operation: str, **response: Any) -> None:
        self.of[service]._rest[operation] = (200, response)

    def operations(self) -> set[str]:
        return {one for script in self.of.values() for one in script.operations()}


@pytest.fixture
def account(
    script: Callable[[str], Any],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Account:
    set_env({"pipeline": PIPELINE})
    write_document(DOCUMENT)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return Account(script)


def invoke(action: str | None = "delete", seconds: float = 900) -> dict[str, str]:
    event = {} if action is None else {"pipeline": PIPELINE, "tf": {"action": action, "prev_input": {}}}
    return handler(event, SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000)))


@pytest.mark.parametrize("action", ["create", "update", None])
def test_nothing_is_looked_at_unless_the_resource_is_deleted(account: Account, action: str | None) -> None:
    assert invoke(action)["pipeline"] == PIPELINE
    assert account.operations() == set()


def test_a_destroy_goes_on_when_nothing_is_left(account: Account) -> None:
    assert invoke()["action"] == "delete"


@pytest.mark.parametrize(
    ("service", "operation", "response", "named"),
    [
        (
            "codepipeline",
            "ListPipelineExecutions",
            {"pipelineExecutionSummaries": [{"pipelineExecutionId": EXECUTION, "status": "Stopping"}]},
            f"execution {EXECUTION}",
        ),
        (
            "cloudformation",
            "DescribeStacks",
            {"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]},
            f"stack {PIPELINE}-production",
        ),
        (
            "sagemaker",
            "ListProcessingJobs",
            {"ProcessingJobSummaries": [{"ProcessingJobName": f"{PIPELINE}-3f2b9c1e7d54-r2"}]},
            f"processing job {PIPELINE}-3f2b9c1e7d54-r2",
        ),
        (
            "sagemaker",
            "ListModelPackages",
            {"ModelPackageSummaryList": [{"ModelPackageArn": f"arn:aws:x:::model-package/{PIPELINE}/1"}]},
            f"model-package/{PIPELINE}/1",
        ),
        (
            "cloudwatch",
            "DescribeAlarms",
            {"MetricAlarms": [{"AlarmName": f"{PIPELINE}-dev-ServerErrors-1A2B3C4D5E6F"}]},
            f"alarm {PIPELINE}-dev-ServerErrors-1A2B3C4D5E6F",
        ),
        (
            "application-autoscaling",
            "DescribeScalableTargets",
            {"ScalableTargets": [{"ResourceId": f"endpoint/{PIPELINE}-dev/variant/x", "ScalableDimension": "d"}]},
            f"scalable target endpoint/{PIPELINE}-dev/variant/x",
        ),
    ],
)
def test_what_is_left_is_named_and_the_command(
    account: Account, service: str, operation: str, response: dict[str, Any], named: str
) -> None:
    account.rest(service, operation, **response)
    with pytest.raises(LeftError) as caught:
        invoke()
    assert named in str(caught.value)
    assert f"Run: mlops teardown {PIPELINE} --yes" in str(caught.value)
    assert not {one for one in account.operations() if not one.startswith(("List", "Describe", "Get"))}


@pytest.mark.parametrize(
    ("operation", "response"),
    [
        ("ListTrainingJobs", {"TrainingJobSummaries": [{"TrainingJobName": f"{PIPELINE}-2-3f2b9c1e7d54"}]}),
        ("ListEndpoints", {"Endpoints": [{"EndpointName": f"{PIPELINE}-2-dev", "EndpointArn": "arn"}]}),
    ],
)
def test_what_is_anothers_is_not_left(account: Account, operation: str, response: dict[str, Any]) -> None:
    account.rest("sagemaker", operation, **response)
    invoke()


def test_an_alarm_that_terraform_made_is_not_left(account: Account) -> None:
    account.rest("cloudwatch", "DescribeAlarms", MetricAlarms=[{"AlarmName": f"{PIPELINE}-production-latency"}])
    invoke()


def test_a_pipeline_that_somebody_has_deleted_has_no_executions(account: Account) -> None:
    account.of["codepipeline"].refuse_rest("ListPipelineExecutions", "PipelineNotFoundException")
    invoke()


def test_what_is_tagged_and_in_no_list_any_more_is_not_left(account: Account) -> None:
    gone = [{"ResourceARN": "arn:aws:sagemaker:us-east-1:123456789012:model/gone"}]
    account.rest("resourcegroupstaggingapi", "GetResources", ResourceTagMappingList=gone, PaginationToken="")
    for operation, member in {"ListEndpointConfigs": "EndpointConfigs", "ListModels": "Models"}.items():
        account.rest("sagemaker", operation, **{member: []})
    invoke()


def test_a_destroy_that_runs_out_of_time_can_be_repeated(
    account: Account, write_document: Callable[[object], None]
) -> None:
    write_document({**DOCUMENT, "deletes": True})
    account.rest("cloudformation", "DescribeStacks", Stacks=[{"StackStatus": "UPDATE_IN_PROGRESS"}])
    with pytest.raises(LeftError, match="Run the destroy again; it goes on from here"):
        invoke(seconds=10)
    assert "DeleteStack" not in account.operations()


def test_a_permission_that_lacks_ends_it_at_once(account: Account, write_document: Callable[[object], None]) -> None:
    write_document({**DOCUMENT, "deletes": True})
    account.rest("cloudformation", "DescribeStacks", Stacks=[{"StackStatus": "CREATE_COMPLETE"}])
    account.of["cloudformation"].refuse_rest("DeleteStack", "AccessDenied", "not authorized")
    with pytest.raises(LeftError, match=f"The stack {PIPELINE}-production could not be deleted: .*not authorized"):
        invoke()


def test_a_stack_that_is_stuck_is_forced(account: Account, write_document: Callable[[object], None]) -> None:
    write_document({**DOCUMENT, "deletes": True})
    account.of["cloudformation"].answer("DescribeStacks", Stacks=[{"StackStatus": "DELETE_FAILED"}])
    account.rest("cloudformation", "DeleteStack")
    invoke()
    (request,) = account.of["cloudformation"].requests["DeleteStack"]
    assert request["DeletionMode"] == "FORCE_DELETE_STACK"


def test_every_kind_that_is_listed_can_be_deleted() -> None:
    deletions = Deletions(Document(**DOCUMENT), clients.client)  # type: ignore[arg-type]
    assert sorted(deletions._by_kind) == KINDS


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_is_stopping_is_not_stopped_again(account: Account, status: str) -> None:
    account.rest("sagemaker", "StopTrainingJob")
    name = f"{PIPELINE}-3f2b9c1e7d54"
    Deletions(Document(**DOCUMENT), clients.client).delete(Left("training job", name, status))  # type: ignore[arg-type]
    assert ("StopTrainingJob" in account.operations()) is (status == "InProgress")
