"""UpdateEndpoint's checks, and the variant properties that it retains."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def changed_weights(variants: Mapping[str, Variant], wanted: list[Params]) -> dict[str, float]:
    """The weight of each variant after UpdateEndpointWeightsAndCapacities. Raises ValidationException."""
    for change in wanted:
        if change["VariantName"] not in variants:
            raise AwsError("ValidationException", f"The variant {change['VariantName']} does not exist.")
    weights = {name: variant.weight for name, variant in variants.items()}
    weights |= {one["VariantName"]: one["DesiredWeight"] for one in wanted if "DesiredWeight" in one}
    # What AWS does then is not documented; nothing would serve.
    if not any(weights.values()):
        raise AwsError("ValidationException", "At least one variant must have a weight above 0.")
    return weights


def alarms_in_alarm(account: Account, deployment_config: Params, credentials: Mapping[str, Any]) -> list[str]:
    """The rollback alarms that are in the ALARM state; SageMaker reads them with the execution role.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    alarms = deployment_config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    names = [alarm["AlarmName"] for alarm in alarms]
    if not names:
        return []
    answer: Any = account.client("cloudwatch", credentials).describe_alarms(AlarmNames=names)
    return [alarm["AlarmName"] for alarm in answer["MetricAlarms"] if alarm["StateValue"] == "ALARM"]
