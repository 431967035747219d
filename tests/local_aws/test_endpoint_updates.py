"""Updates of endpoints, what they keep, what they roll back, and the instances that a quota leaves for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import Models, listed, models_of_an_account, variant
from local_aws.tiny_container import forbidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with models_of_an_account(tmp_path_factory.mktemp("container")) as made:
        yield made


def test_update_serves_the_new_model(models: Models) -> None:
    name = models.serving("old")
    config = models.simple("new")

    endpoint = models.update(name, config)

    assert endpoint["EndpointConfigName"] == config
    assert models.answer(name)["answer"] == "new"


def test_old_fleet_answers_until_the_new_one_is_healthy(models: Models) -> None:
    name = models.serving("old")
    config = models.simple("new")
    models.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)

    answers = []
    while models.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating":
        answers.append(models.answer(name)["answer"])

    assert set(answers) <= {"old", "new"}
    assert models.answer(name)["answer"] == "new"


def test_failed_update_keeps_the_old_fleet_and_tells_why(models: Models) -> None:
    old = models.simple("old")
    name = models.endpoint(old)
    models.settled(name)

    endpoint = models.update(name, models.simple(mode="exit"))

    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == old
    assert "rolled back" in endpoint["FailureReason"]
    assert models.answer(name)["answer"] == "old"


def watched(models: Models, name: str, state: str) -> dict[str, Any]:
    """Make an alarm, and give the configuration of a deployment that it can roll back."""
    cloudwatch = models.aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name}]},
    }


def test_ringing_rollback_alarm_keeps_the_old_fleet(models: Models) -> None:
    name, deployment = models.serving("old"), watched(models, "errors", "ALARM")

    endpoint = models.update(name, models.simple("new"), DeploymentConfig=deployment)

    assert "errors" in endpoint["FailureReason"]
    assert models.answer(name)["answer"] == "old"


def test_role_that_may_not_read_the_rollback_alarms_keeps_the_old_fleet(models: Models) -> None:
    name, deployment = models.serving("old"), watched(models, "silent", "OK")

    with forbidden(models.aws, "serving", "cloudwatch:DescribeAlarms"):
        endpoint = models.update(name, models.simple("new"), DeploymentConfig=deployment)
    assert "is not authorized to perform: cloudwatch:DescribeAlarms" in endpoint["FailureReason"]
    assert models.answer(name)["answer"] == "old"

    models.update(name, models.simple("newer"), DeploymentConfig=deployment)
    assert models.answer(name)["answer"] == "newer"


def test_encrypted_volumes_need_a_role_that_may_grant_their_key(models: Models) -> None:
    key = models.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    with forbidden(models.aws, "serving", "kms:CreateGrant"):
        failed = models.settled(models.endpoint(models.config(variant(models.model()), KmsKeyId=key)))
    assert f"is not authorized to perform: kms:CreateGrant on resource: {key}" in failed["FailureReason"]
    made = models.settled(models.endpoint(models.config(variant(models.model()), KmsKeyId=key)))
    assert made["EndpointStatus"] == "InService"


def test_update_in_progress_refuses_another(models: Models) -> None:
    name = models.serving()
    config = models.simple()
    models.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)

    with pytest.raises(ClientError, match="in-progress"):
        models.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    models.settled(name)


def test_update_takes_the_new_configs_counts_unless_told_to_retain(models: Models) -> None:
    name = models.serving()
    scale(models, name, 6)

    endpoint = models.update(name, models.simple())

    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_retained_properties_survive_an_update(models: Models) -> None:
    name = models.serving()
    scale(models, name, 6)

    endpoint = models.update(name, models.simple(), RetainAllVariantProperties=True)

    (shown,) = endpoint["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["CurrentWeight"]) == (6, 0.5)


def test_excluded_property_is_not_retained(models: Models) -> None:
    name = models.serving()
    scale(models, name, 6)

    endpoint = models.update(
        name,
        models.simple(),
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )

    (shown,) = endpoint["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["CurrentWeight"]) == (6, 1.0)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"RetainAllVariantProperties": True}, "DataCaptureConfig is not currently supported"),
        ({}, "with RetainAllVariantProperties only"),
    ],
)
def test_property_that_cannot_be_excluded_is_refused(models: Models, members: dict[str, Any], problem: str) -> None:
    name = models.serving()
    excluded = [{"VariantPropertyType": "DataCaptureConfig"}]

    with pytest.raises(ClientError, match=problem):
        models.update(name, models.simple(), ExcludeRetainedVariantProperties=excluded, **members)


def scale(models: Models, name: str, count: int) -> None:
    change = {"VariantName": "primary", "DesiredInstanceCount": count, "DesiredWeight": 0.5}
    models.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=[change])
    models.settled(name)


CANARY = {"Type": "CANARY", "WaitIntervalInSeconds": 0, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}
BLUE_GREEN = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": CANARY}}
ROLLING = {
    "RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 0}
}


@pytest.mark.parametrize("policy", [BLUE_GREEN, ROLLING], ids=["blue/green", "rolling"])
def test_a_deployment_policy_needs_the_same_variant_names(models: Models, policy: dict[str, Any]) -> None:
    name, other = models.serving(), models.config(variant(models.model("two"), "challenger"))
    with pytest.raises(ClientError, match=r"needs the same variant names .* primary became challenger"):
        models.update(name, other, DeploymentConfig=policy)
    assert models.answer(name)["answer"] == "one"
    # Without a policy, all traffic moves at once.
    models.update(name, other)
    answered = models.answer(name)
    assert (answered["answer"], answered["variant"]) == ("two", "challenger")


def test_a_rolling_deployment_has_one_variant(models: Models) -> None:
    model = models.model()
    both = [variant(model, "primary"), variant(model, "challenger")]
    name = models.endpoint(models.config(*both))
    models.settled(name)
    with pytest.raises(ClientError, match="not supported for several production variants"):
        models.update(name, models.config(*both), DeploymentConfig=ROLLING)
    assert models.update(name, models.config(*both), DeploymentConfig=BLUE_GREEN)["EndpointStatus"] == "InService"


def test_a_shift_of_traffic_is_an_update(models: Models) -> None:
    name, other = models.serving(), models.simple()
    # The second instance has to start, so that the update is still in progress when the next one comes.
    change = {"VariantName": "primary", "DesiredWeight": 2.0, "DesiredInstanceCount": 2}
    models.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=[change])
    with pytest.raises(ClientError, match="in-progress"):
        models.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
    assert models.settled(name)["ProductionVariants"][0]["CurrentWeight"] == 2.0


def test_some_variant_must_get_traffic(models: Models) -> None:
    name = models.serving()
    change = {"VariantName": "primary", "DesiredWeight": 0.0}
    with pytest.raises(ClientError, match="must have a weight above 0"):
        models.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=[change])
    assert models.answer(name)["answer"] == "one"


def test_instance_type_of_a_scaled_variant_cannot_change(models: Models) -> None:
    name = models.serving()
    models.aws.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{name}/variant/primary",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=2,
    )

    with pytest.raises(ClientError, match="must be deregistered"):
        models.update(name, models.simple(InstanceType="ml.m5.xlarge"))


@pytest.fixture
def allowed(models: Models) -> Iterator[Callable[[int], None]]:
    """Sets the account's quota of a type that no other test uses."""
    name = "ml.c5.large for endpoint usage"
    yield lambda count: models.aws.service_quotas.set(name, count)
    models.aws.service_quotas.set(name, 1000)


def fleet(count: int) -> dict[str, Any]:
    return {"InstanceType": "ml.c5.large", "InitialInstanceCount": count}


def test_the_quota_refuses_an_endpoint_with_the_numbers(models: Models, allowed: Callable[[int], None]) -> None:
    allowed(3)
    models.serving(**fleet(1))
    models.serving(**fleet(2))

    with pytest.raises(ClientError) as refused:
        models.endpoint(models.simple(**fleet(2)))

    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert (
        "The account-level service limit 'ml.c5.large for endpoint usage' is 3 Instances, with current utilization of"
        " 3 Instances and a request delta of 2 Instances."
    ) in str(refused.value)


def test_an_update_needs_instances_for_both_fleets(models: Models, allowed: Callable[[int], None]) -> None:
    name = models.serving(**fleet(2))
    used = instances(models)
    allowed(used + 1)
    with pytest.raises(ClientError, match=f"utilization of {used} Instances and a request delta of 2 Instances"):
        models.update(name, models.simple(**fleet(2)))
    assert models.settled(name)["EndpointStatus"] == "InService"

    allowed(used + 2)
    models.update(name, models.simple("two", **fleet(2)))

    assert models.answer(name)["answer"] == "two"
    assert instances(models) == used


def test_a_larger_count_needs_only_the_difference(models: Models, allowed: Callable[[int], None]) -> None:
    name = models.serving(**fleet(2))
    allowed(instances(models) + 1)
    with pytest.raises(ClientError, match="a request delta of 2 Instances"):
        scale(models, name, 4)

    scale(models, name, 3)

    assert models.settled(name)["ProductionVariants"][0]["DesiredInstanceCount"] == 3


def test_an_endpoint_that_failed_uses_no_quota(models: Models, allowed: Callable[[int], None]) -> None:
    used = instances(models)
    name = models.endpoint(models.simple(mode="exit", **fleet(2)))
    assert models.settled(name)["EndpointStatus"] == "Failed"
    allowed(used + 2)
    models.serving(**fleet(2))


def instances(models: Models) -> int:
    """Count the instances that the quota is about."""
    return sum(
        endpoint.instances()["ml.c5.large"]
        for name in listed(models)
        for endpoint in [models.aws.sagemaker.endpoints.find(name)]
    )
