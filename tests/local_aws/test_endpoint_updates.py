"""Updates of endpoints, what they keep, what they roll back, and the instances that a quota leaves for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import Models, listed, models_of_an_account, variant
from local_aws.tiny_container import forbidden, wait_until

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


def test_25_failed_update_keeps_the_old_fleet_and_tells_why(models: Models) -> None:
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


def test_32_ringing_rollback_alarm_keeps_the_old_fleet(models: Models) -> None:
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
def test_36_a_deployment_policy_needs_the_same_variant_names(models: Models, policy: dict[str, Any]) -> None:
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


def two_variants(models: Models, *weights: float, **changes: Any) -> str:
    """The name of a configuration with champion and challenger, with these weights or 1 and 0."""
    given = dict(zip(("champion", "challenger"), weights or (1.0, 0.0), strict=True))
    return models.config(
        *(variant(models.model(name), name, InitialVariantWeight=weight, **changes) for name, weight in given.items())
    )


def shift(models: Models, name: str, *changes: dict[str, Any]) -> None:
    models.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=list(changes)
    )


def weight(name: str, value: float) -> dict[str, Any]:
    return {"VariantName": name, "DesiredWeight": value}


@pytest.fixture
def slowly(models: Models, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """New weights take an hour; the result lets the hour pass."""
    monkeypatch.setattr(models.aws.sagemaker.endpoints, "shift_seconds", 3_600.0)
    return lambda: models.aws.account.clock.advance(3_600)


def test_a_shift_of_traffic_is_an_update(models: Models, slowly: Callable[[], None]) -> None:
    name, other = models.serving(), models.simple()
    shift(models, name, weight("primary", 2.0))
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        models.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        shift(models, name, weight("primary", 3.0))
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        models.sagemaker.delete_endpoint(EndpointName=name)
    slowly()
    assert models.settled(name)["ProductionVariants"][0]["CurrentWeight"] == 2.0


def test_new_weights_are_live_when_the_endpoint_is_in_service(models: Models, slowly: Callable[[], None]) -> None:
    name = models.endpoint(two_variants(models))
    models.settled(name)

    shift(models, name, weight("champion", 0.0), weight("challenger", 1.0))
    updating = models.sagemaker.describe_endpoint(EndpointName=name)
    before = {models.answer(name)["variant"] for _ in range(20)}
    slowly()
    settled = models.settled(name)

    assert updating["EndpointStatus"] == "Updating"
    assert "PendingDeploymentSummary" not in updating  # it is about a new endpoint configuration
    assert weights(updating) == {"champion": (1.0, 0.0), "challenger": (0.0, 1.0)}
    assert before == {"champion"}
    assert weights(settled) == {"champion": (0.0, 0.0), "challenger": (1.0, 1.0)}
    assert {models.answer(name)["variant"] for _ in range(20)} == {"challenger"}


def weights(endpoint: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Current and desired weight of each variant."""
    return {one["VariantName"]: (one["CurrentWeight"], one["DesiredWeight"]) for one in endpoint["ProductionVariants"]}


def test_new_counts_are_desired_until_the_endpoint_is_in_service(models: Models, slowly: Callable[[], None]) -> None:
    name = models.serving()

    shift(models, name, {"VariantName": "primary", "DesiredInstanceCount": 3})
    (updating,) = models.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    slowly()
    (settled,) = models.settled(name)["ProductionVariants"]

    assert (updating["CurrentInstanceCount"], updating["DesiredInstanceCount"]) == (1, 3)
    assert (settled["CurrentInstanceCount"], settled["DesiredInstanceCount"]) == (3, 3)


def test_a_new_configuration_is_pending_until_it_serves(models: Models) -> None:
    name, never_healthy = models.serving(), models.simple(mode="sick")

    models.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=never_healthy)

    updating = models.sagemaker.describe_endpoint(EndpointName=name)
    assert updating["PendingDeploymentSummary"] == {"EndpointConfigName": never_healthy}
    assert updating["EndpointConfigName"] != never_healthy


def count(name: str, value: int) -> dict[str, Any]:
    return {"VariantName": name, "DesiredInstanceCount": value}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([weight("champion", 0.0)], "must have a weight above 0"),
        ([weight("nobody", 1.0)], "The variant nobody does not exist"),
        # Not documented; the strictest reading.
        ([weight("champion", 1.0), weight("champion", 0.5)], "The variant champion is in the request 2 times"),
        ([{"VariantName": "champion"}], "Nothing is to be updated"),
        ([count("challenger", 0)], "must be at least 1"),
        # "Updates variant weight of one or more variants ..., or capacity of one variant".
        ([count("champion", 2), count("challenger", 2)], "The capacity of one variant can be updated at a time"),
        ([count("champion", 2), {"VariantName": "challenger", "ServerlessUpdateConfig": {}}], "does not implement"),
    ],
    ids=["all-0", "unknown", "twice", "nothing", "count-0", "two-counts", "serverless"],
)
def test_36_a_change_of_weights_that_is_refused(models: Models, changes: list[dict[str, Any]], problem: str) -> None:
    name = models.endpoint(two_variants(models))
    before = models.settled(name)

    with pytest.raises(ClientError, match=problem) as refused:
        shift(models, name, *changes)

    assert refused.value.response["Error"]["Code"] == "ValidationException"
    after = models.sagemaker.describe_endpoint(EndpointName=name)
    assert (after["EndpointStatus"], weights(after)) == ("InService", weights(before))


def test_weights_of_several_variants_and_a_count_of_one_change_together(models: Models) -> None:
    name = models.endpoint(two_variants(models))
    models.settled(name)

    shift(models, name, weight("champion", 0.5), weight("challenger", 0.5) | count("challenger", 2))

    settled = models.settled(name)
    assert weights(settled) == {"champion": (0.5, 0.5), "challenger": (0.5, 0.5)}
    assert [one["CurrentInstanceCount"] for one in settled["ProductionVariants"]] == [1, 2]


def test_36_a_retained_weight_of_0_cannot_be_the_only_one(models: Models) -> None:
    name = models.endpoint(two_variants(models))
    models.settled(name)
    alone = models.config(variant(models.model("challenger"), "challenger"))

    with pytest.raises(ClientError, match="must have a weight above 0"):
        models.update(name, alone, RetainAllVariantProperties=True)

    excluded = [{"VariantPropertyType": "DesiredWeight"}]
    models.update(name, alone, RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded)
    assert models.answer(name)["answer"] == "challenger"


def test_the_retained_deployment_policy_needs_the_same_variant_names(models: Models) -> None:
    name = models.name("endpoint")
    models.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=models.simple(), DeploymentConfig=BLUE_GREEN)
    assert models.settled(name)["LastDeploymentConfig"] == BLUE_GREEN

    with pytest.raises(ClientError, match="primary became challenger, champion"):
        models.update(name, two_variants(models), RetainDeploymentConfig=True)

    assert weights(models.update(name, two_variants(models))) == {"champion": (1.0, 1.0), "challenger": (0.0, 0.0)}


def test_an_endpoint_whose_configuration_was_deleted_cannot_be_updated(models: Models) -> None:
    """https://github.com/hashicorp/terraform-provider-aws/issues/40048"""
    old = models.simple("old")
    name = models.endpoint(old)
    models.settled(name)
    models.sagemaker.delete_endpoint_config(EndpointConfigName=old)

    with pytest.raises(ClientError, match=f"Could not find endpoint configuration .*/{old}"):
        models.update(name, models.simple("new"))
    assert models.answer(name)["answer"] == "old"


def target(models: Models, name: str, variant_name: str) -> dict[str, Any]:
    """Register a variant as a scalable target with a policy; gives the target's keys."""
    keys = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/{variant_name}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling = models.aws.client("application-autoscaling")
    scaling.register_scalable_target(**keys, MinCapacity=1, MaxCapacity=2)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaling.put_scaling_policy(
        PolicyName="requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 100.0, "PredefinedMetricSpecification": metric},
        **keys,
    )
    return keys


def test_33_36_a_scaled_variant_cannot_be_removed(models: Models) -> None:
    name = models.endpoint(two_variants(models, 1.0, 1.0))
    models.settled(name)
    keys = target(models, name, "challenger")
    alone = models.config(variant(models.model("champion"), "champion"))
    with pytest.raises(ClientError, match=r"The variant\(s\) challenger must be deregistered"):
        models.update(name, alone)

    models.aws.client("application-autoscaling").deregister_scalable_target(**keys)

    models.update(name, alone)
    assert models.answer(name)["variant"] == "champion"


def test_a_variant_may_come_beside_a_scaled_one(models: Models) -> None:
    name = models.endpoint(models.config(variant(models.model("champion"), "champion")))
    models.settled(name)
    target(models, name, "champion")

    models.update(name, two_variants(models))

    assert models.answer(name, TargetVariant="challenger")["answer"] == "challenger"


def test_deregistering_a_target_deletes_its_policies_only(models: Models) -> None:
    name = models.endpoint(two_variants(models))
    models.settled(name)
    gone, kept = target(models, name, "challenger"), target(models, name, "champion")
    scaling = models.aws.client("application-autoscaling")

    scaling.deregister_scalable_target(**gone)

    wait_until(lambda: not scaling.describe_scaling_policies(**gone)["ScalingPolicies"])
    assert len(scaling.describe_scaling_policies(**kept)["ScalingPolicies"]) == 1


def test_33_instance_type_of_a_scaled_variant_cannot_change(models: Models) -> None:
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
