"""A release that could not reach production is refused before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from check_dataset.fleet import check_fleets
from lambdas.lake import FLEET, IRIS, LIMITS, Lake, make_lake

from handler_kit import clients
from handler_kit.errors import ConfigurationError
from handler_kit.production import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

STACK = "iris-1a2b3c-production"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{STACK}/variant/primary",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    return make_lake(load_event, set_env, write_document)


def serving(name: str = STACK, *, scales: bool = False) -> None:
    """An endpoint with its configuration, and perhaps with autoscaling."""
    sagemaker = clients.client("sagemaker")
    container = {"Image": "image", "ModelDataUrl": "s3://artifacts/model.tar.gz"}
    role = "arn:aws:iam::123456789012:role/teams/deploy"
    sagemaker.create_model(ModelName=f"{name}-model", PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {"VariantName": "primary", "ModelName": f"{name}-model"}
    fleet = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2, "InitialVariantWeight": 1.0}
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-config", ProductionVariants=[{**variant, **fleet}])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-config")
    if scales:
        clients.client("application-autoscaling").register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=6)


def in_state(script: Callable[[str], Any], status: str, **parameters: str) -> None:
    """The production stack in a state."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    stack = {"StackName": STACK, "StackId": f"arn:{STACK}", "StackStatus": status, "Parameters": given}
    script("cloudformation").answer("DescribeStacks", Stacks=[stack])


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name iris-1a2b3c-production"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name iris-1a2b3c-production"),
        ("DELETE_FAILED", "aws cloudformation delete-stack --stack-name iris-1a2b3c-production (if it fails again for"),
        ("IMPORT_ROLLBACK_COMPLETE", "aws cloudformation describe-stack-events --stack-name iris-1a2b3c-production"),
        ("IMPORT_ROLLBACK_FAILED", "aws cloudformation describe-stack-events --stack-name iris-1a2b3c-production"),
    ],
)
def test_27_a_stack_that_cannot_be_updated_fails_with_the_command_that_mends_it(
    lake: Lake, reports: Any, script: Callable[[str], Any], status: str, command: str
) -> None:
    in_state(script, status)
    lake.check_new("datasets/iris.csv", IRIS)
    assert f"Stack {STACK} has the status {status}" in reports.message
    assert f"Run: {command}" in reports.message
    assert lake.pinned() == {}


@pytest.mark.parametrize(
    "status",
    [
        *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"),
        *("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"),
    ],
)
def test_a_stack_that_can_be_updated_or_deleted_first_stands_in_nobodys_way(
    lake: Lake, reports: Any, script: Callable[[str], Any], status: str
) -> None:
    serving()
    in_state(script, status)
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


@pytest.mark.parametrize(
    ("slots", "named"), [("both", "still has a challenger"), ("secondary", "in the slot secondary")]
)
def test_what_ab_tests_have_left_is_refused_where_the_pipeline_has_none(
    lake: Lake, reports: Any, script: Callable[[str], Any], slots: str, named: str
) -> None:
    in_state(script, "UPDATE_COMPLETE", Slots=slots)
    lake.check_new("datasets/iris.csv", IRIS)
    assert named in reports.message
    assert "then leave ab_test out" in reports.message
    assert lake.pinned() == {}


@pytest.mark.parametrize(("slots", "ab_test"), [("primary", False), ("both", True)])
def test_one_slot_or_a_pipeline_with_ab_tests_is_not_refused(
    lake: Lake,
    reports: Any,
    script: Callable[[str], Any],
    write_document: Callable[[object], None],
    slots: str,
    ab_test: bool,
) -> None:
    write_document({**LIMITS, "ab_test": ab_test})
    serving()
    in_state(script, "UPDATE_COMPLETE", Slots=slots)
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


def delete(what: str) -> None:
    """Somebody deletes it by hand."""
    sagemaker = clients.client("sagemaker")
    if what == "endpoint":
        sagemaker.delete_endpoint(EndpointName=STACK)
    elif what == "configuration":
        sagemaker.delete_endpoint_config(EndpointConfigName=f"{STACK}-config")
    elif what == "autoscaling":
        clients.client("application-autoscaling").deregister_scalable_target(**TARGET)
    elif what == "role":
        clients.client("iam").delete_role(RoleName="deploy")
    elif what == "topic":
        clients.client("sns").delete_topic(TopicArn="arn:aws:sns:us-east-1:123456789012:approvals")


@pytest.mark.parametrize(
    ("what", "told", "command"),
    [
        ("endpoint", f"Endpoint {STACK} does not exist", "mlops resume iris-1a2b3c; then"),
        ("configuration", f"Endpoint configuration {STACK}-config of the endpoint", "mlops resume iris-1a2b3c; then"),
        ("autoscaling", f"The autoscaling of the endpoint {STACK}, variant primary,", "mlops resume iris-1a2b3c; then"),
        ("role", "Role arn:aws:iam::123456789012:role/teams/deploy, which the endpoints need,", "cdktf deploy"),
        ("topic", "SNS topic arn:aws:sns:us-east-1:123456789012:approvals, to which", "cdktf deploy"),
    ],
)
def test_59_what_somebody_deleted_is_told_before_training_with_the_command(
    lake: Lake, reports: Any, script: Callable[[str], Any], what: str, told: str, command: str
) -> None:
    serving(scales=True)
    in_state(script, "UPDATE_COMPLETE", Autoscales="true")
    delete(what)
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.message.startswith(told)
    assert command in reports.message
    assert "somebody deleted it by hand" in reports.message
    assert lake.pinned() == {}


def test_59_what_is_all_there_is_not_refused(lake: Lake, reports: Any, script: Callable[[str], Any]) -> None:
    serving(scales=True)
    in_state(script, "UPDATE_COMPLETE", Autoscales="true")
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


def test_59_an_endpoint_that_failed_can_only_be_deleted(lake: Lake, reports: Any, script: Callable[[str], Any]) -> None:
    in_state(script, "UPDATE_ROLLBACK_COMPLETE")
    failed = {"EndpointName": STACK, "EndpointStatus": "Failed", "EndpointConfigName": "config"}
    script("sagemaker").answer("DescribeEndpoint", **failed)
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.message.startswith(f"Endpoint {STACK} has failed and can only be deleted, and no release")


@pytest.mark.parametrize(
    ("slots", "scaled", "missing"),
    [("both", "Secondary", "variant secondary"), ("secondary", "Secondary", "variant secondary"), ("both", "", "")],
)
def test_59_each_slot_of_an_ab_test_has_its_own_scaling(
    lake: Lake,
    reports: Any,
    script: Callable[[str], Any],
    write_document: Callable[[object], None],
    slots: str,
    scaled: str,
    missing: str,
) -> None:
    write_document({**LIMITS, "ab_test": True})
    serving(scales=True)
    in_state(script, "UPDATE_COMPLETE", Slots=slots, PrimaryAutoscales="true", **{f"{scaled}Autoscales": "true"})
    lake.check_new("datasets/iris.csv", IRIS)
    if missing:
        assert missing in reports.message
    else:
        assert reports.outputs["Channels"] == "train"


@pytest.mark.parametrize("paused", ["2026-01-01T00:00:00+00:00", None])
def test_a_paused_endpoint_or_a_stack_that_changes_is_not_looked_for(
    lake: Lake, reports: Any, script: Callable[[str], Any], paused: str | None
) -> None:
    in_state(script, "UPDATE_COMPLETE" if paused else "UPDATE_IN_PROGRESS", **({"Paused": paused} if paused else {}))
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


def test_59_a_dev_endpoint_that_is_kept_is_looked_up_too(
    lake: Lake, reports: Any, script: Callable[[str], Any], set_env: Callable[..., None]
) -> None:
    set_env({"dev_stack": "iris-1a2b3c-dev"})
    serving()
    in_state(script, "UPDATE_COMPLETE")
    dev = {"StackName": "iris-1a2b3c-dev", "StackId": "arn:dev", "StackStatus": "UPDATE_COMPLETE"}
    script("cloudformation").answer("DescribeStacks", Stacks=[dev])
    lake.check_new("datasets/iris.csv", IRIS)
    assert "Endpoint iris-1a2b3c-dev does not exist" in reports.message
    assert "mlops resume iris-1a2b3c --dev" in reports.message


def test_before_the_first_release_there_is_no_stack(lake: Lake, reports: Any) -> None:
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.outputs["Channels"] == "train"


def running(**parameters: str) -> Stack:
    """Production as it runs."""
    return Stack(STACK, f"arn:{STACK}", "UPDATE_COMPLETE", {**FLEET, **parameters})


def test_33_a_new_instance_type_is_refused_before_training_where_production_autoscales(
    lake: Lake, reports: Any, script: Callable[[str], Any]
) -> None:
    serving(scales=True)
    in_state(script, "UPDATE_COMPLETE", InstanceType="ml.c5.large", Autoscales="true")
    lake.check_new("datasets/iris.csv", IRIS)
    assert reports.message == (
        "Production runs on ml.c5.large and scales automatically. While autoscaling is on, SageMaker refuses another"
        " instance type, here ml.m5.large. Release twice: first on ml.c5.large without autoscaling"
        ' (Endpoint(autoscaling=None), or "AutoScaling": null in deployment.json), then on ml.m5.large with it.'
    )
    assert lake.pinned() == {}


@pytest.mark.parametrize("autoscales", ["true", "false"])
def test_an_asked_instance_type_is_judged_against_what_runs(autoscales: str) -> None:
    asked = {"production": {"InstanceType": "ml.c5.large", "Autoscales": autoscales}}
    with pytest.raises(ConfigurationError, match=r"Release twice: first on ml\.m5\.large without"):
        check_fleets(asked, {"production": FLEET}, running())


@pytest.mark.parametrize(
    ("asked", "production"),
    [
        ({}, running()),
        ({"production": {"Autoscales": "false"}}, running()),
        ({"production": {"InstanceType": "ml.c5.large"}}, running(Autoscales="false")),
        ({"production": {"InstanceType": "ml.c5.large"}}, None),
        ({"production": {"InitialInstanceCount": "6"}}, running()),
    ],
)
def test_what_sagemaker_takes_is_taken(asked: dict[str, dict[str, str]], production: Stack | None) -> None:
    check_fleets(asked, {"production": FLEET}, production)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"InitialInstanceCount": "7"}, "would start with 7 instances, and autoscaling would keep 2 to 6"),
        ({"InitialInstanceCount": "1"}, "would start with 1 instances, and autoscaling would keep 2 to 6"),
        ({"MinCapacity": "3"}, "would start with 2 instances, and autoscaling would keep 3 to 6"),
        ({"InstanceType": "ml.t2.medium"}, "burstable T2 instances cannot"),
    ],
)
def test_what_is_asked_counts_together_with_what_is_configured(asked: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        check_fleets({"production": asked}, {"production": FLEET}, None)


def test_a_fleet_that_does_not_scale_has_no_such_limits() -> None:
    asked = {"production": {"InitialInstanceCount": "9", "InstanceType": "ml.t2.medium", "Autoscales": "false"}}
    check_fleets(asked, {"production": FLEET}, None)
