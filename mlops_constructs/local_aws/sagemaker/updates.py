"""UpdateEndpoint's checks, and the variant properties that it retains."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.sagemaker.fleet import Fleet, Variant

_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def with_retained_properties(fleet: Fleet, config: Params, excluded: list[Params]) -> Params:
    """A new configuration with the present weights and instance counts of the serving fleet.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VariantProperty.html
    """
    left_out = {entry["VariantPropertyType"] for entry in excluded}
    serving = {variant.name: variant for variant in fleet.variants}
    result = copy.deepcopy(config)
    for settings in result["ProductionVariants"]:
        variant = serving.get(settings["VariantName"])
        if variant is None:
            continue
        if "DesiredWeight" not in left_out:
            settings["InitialVariantWeight"] = variant.weight
        if "DesiredInstanceCount" not in left_out and variant.instance_count is not None:
            if variant.instance_count == 0:
                # What AWS does then is not documented: nothing would show that the new model can be loaded.
                raise AwsError(
                    "ValidationException",
                    f"The variant {variant.name} has no instances to retain: exclude DesiredInstanceCount.",
                )
            settings["InitialInstanceCount"] = variant.instance_count
    return result


def check_scaled_variants(account: Account, endpoint_name: str, old: Params, new: Params) -> None:
    """Raise ValidationException when an update removes a scalable target's variant or changes its instance type."""
    before = {variant["VariantName"]: variant for variant in old["ProductionVariants"]}
    after = {variant["VariantName"]: variant for variant in new["ProductionVariants"]}
    changed = [
        name
        for name, variant in before.items()
        if name not in after or after[name].get("InstanceType") != variant.get("InstanceType")
    ]
    if not changed:
        return
    wanted = {f"endpoint/{endpoint_name}/variant/{name}": name for name in changed}
    answer = account.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=list(wanted), ScalableDimension=_DIMENSION
    )
    scaled = sorted(wanted[target["ResourceId"]] for target in answer["ScalableTargets"])
    if scaled:
        raise AwsError(
            "ValidationException",
            f"The variant(s) {', '.join(scaled)} must be deregistered as scalable targets with AutoScaling "
            f"before they can be removed or have their instance type changed.",
        )


def check_guardrails(old: Params, new: Params, deployment_config: Params) -> None:
    """Raise ValidationException when an update cannot have a deployment policy.

    A blue/green or rolling deployment needs the same variant names in both configurations, and a rolling deployment has
    one variant: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    if not deployment_config:
        return
    before, after = ({variant["VariantName"] for variant in config["ProductionVariants"]} for config in (old, new))
    if before != after:
        raise AwsError(
            "ValidationException",
            "A DeploymentConfig needs the same variant names in the old and the new endpoint configuration: "
            f"{', '.join(sorted(before))} became {', '.join(sorted(after))}.",
        )
    if "RollingUpdatePolicy" in deployment_config and len(after) > 1:
        raise AwsError("ValidationException", "A rolling deployment is not supported for several production variants.")


def check_mode(old: Params, new: Params) -> None:
    """Raise ValidationException when an update would change how the endpoint serves.

    "If you try to update your real-time endpoint to serverless, you receive a ValidationError message." The other way
    is allowed once, and cannot be rolled back; whether an endpoint can become asynchronous is not documented.
    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions
    """
    before, after = mode_of(old), mode_of(new)
    if before != after:
        raise AwsError("ValidationException", f"The endpoint is {before}; an update cannot make it {after}.")


def mode_of(config: Params) -> str:
    """How the endpoints of a configuration serve."""
    if any("ServerlessConfig" in variant for variant in config["ProductionVariants"]):
        return "serverless"
    return "asynchronous" if "AsyncInferenceConfig" in config else "real-time"


def check_weights(weights: Iterable[float]) -> None:
    """Raise ValidationException when all weights are 0: what AWS does then is not documented; nothing would serve."""
    if not any(weights):
        raise AwsError("ValidationException", "At least one variant must have a weight above 0.")


def check_changes(variants: Mapping[str, Variant], wanted: list[Params], *, least_count: int) -> None:
    """Raise ValidationException for changes that UpdateEndpointWeightsAndCapacities does not make.

    It updates the "variant weight of one or more variants", or the "capacity of one variant":
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpointWeightsAndCapacities.html
    What AWS does with a variant that is named twice, with one that nothing changes, and with the count 0 is not
    documented; an error is the strictest reading.
    """
    for name, changes in Counter(change["VariantName"] for change in wanted).items():
        if name not in variants:
            raise AwsError("ValidationException", f"The variant {name} does not exist.")
        if changes > 1:
            raise AwsError("ValidationException", f"The variant {name} is in the request {changes} times.")
    counted = [change["VariantName"] for change in wanted if "DesiredInstanceCount" in change]
    if len(counted) > 1:
        raise AwsError(
            "ValidationException", f"The capacity of one variant can be updated at a time, not of {', '.join(counted)}."
        )
    for change in wanted:
        _check_change(variants[change["VariantName"]], change, least_count)
    check_weights(change_of(variant, wanted).get("DesiredWeight", variant.weight) for variant in variants.values())


def _check_change(variant: Variant, change: Params, least_count: int) -> None:
    if "ServerlessUpdateConfig" in change:
        raise AwsError("ValidationException", "the local AWS does not implement ServerlessUpdateConfig")
    if not change.keys() & {"DesiredWeight", "DesiredInstanceCount"}:
        raise AwsError("ValidationException", f"Nothing is to be updated for the variant {variant.name}.")
    if "DesiredInstanceCount" not in change:
        return
    if variant.instance_count is None:
        raise AwsError("ValidationException", f"The serverless variant {variant.name} has no instances.")
    if change["DesiredInstanceCount"] < least_count:
        raise AwsError(
            "ValidationException",
            f"DesiredInstanceCount of the variant {variant.name} must be at least {least_count}.",
        )


def change_of(variant: Variant, wanted: list[Params]) -> Params:
    """The change of a variant in a request to UpdateEndpointWeightsAndCapacities; empty when there is none."""
    return next((change for change in wanted if change["VariantName"] == variant.name), {})


def alarms_of(deployment_config: Params) -> list[str]:
    """The alarms that can roll an update back."""
    alarms = deployment_config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return [alarm["AlarmName"] for alarm in alarms]


def alarms_in_alarm(account: Account, deployment_config: Params, credentials: Mapping[str, Any]) -> list[str]:
    """The rollback alarms that are in the ALARM state; SageMaker reads them with the execution role.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    names = alarms_of(deployment_config)
    if not names:
        return []
    answer: Any = account.client("cloudwatch", credentials).describe_alarms(AlarmNames=names)
    return [alarm["AlarmName"] for alarm in answer["MetricAlarms"] if alarm["StateValue"] == "ALARM"]


def traffic_steps(deployment_config: Params) -> Iterator[tuple[float, float]]:
    """The share of the traffic that the new fleet has after each step, with the seconds that its alarms are watched.

    Steps are in percent of the capacity, or in instances; the local AWS shifts half of the traffic for the latter. A
    rolling deployment, and one without a policy, take one step.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
    """
    policy = deployment_config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    rolling = deployment_config.get("RollingUpdatePolicy", {})
    wait = float(policy.get("WaitIntervalInSeconds", rolling.get("WaitIntervalInSeconds", 0)))
    size = policy.get("CanarySize") or policy.get("LinearStepSize")
    step = 1.0 if size is None else size["Value"] / 100 if size["Type"] == "CAPACITY_PERCENT" else 0.5
    share = step
    while share < 1:
        yield share, wait
        share = 1.0 if policy["Type"] == "CANARY" else share + step
    yield 1.0, wait
