"""Endpoints and their updates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.constraints import keys
from mlops_constructs.local_aws.constraints.rule import Rule, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_CHANGES = ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint")
_ROUTING = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
# The minimum and maximum size of each kind of step, in percent of the instances.
_SHARES = {
    f"{_ROUTING}.CanarySize": (1, 50),
    f"{_ROUTING}.LinearStepSize": (10, 50),
    "DeploymentConfig.RollingUpdatePolicy.MaximumBatchSize": (5, 50),
}


def _step_size(params: Params, account: Account) -> str | None:
    for path, (least, most) in _SHARES.items():
        size = found(params, path)
        if not isinstance(size, dict):
            continue
        for share in _shares(size, params, account):
            if not least <= share <= most:
                name = path.rpartition(".")[2]
                return f"{name} must be {least} to {most} % of the variant's total instance count, got {share:g} %"
    return None


def _shares(size: Params, params: Params, account: Account) -> Iterator[float]:
    """The size in percent of the instances, for each variant."""
    if size["Type"] == "CAPACITY_PERCENT":
        yield size["Value"]
        return
    try:
        config = account.client("sagemaker").describe_endpoint_config(EndpointConfigName=params["EndpointConfigName"])
    except ClientError:  # the operation itself rejects a configuration that does not exist
        return
    for variant in config.get("ProductionVariants", []):
        yield 100 * size["Value"] / variant.get("InitialInstanceCount", 1)


def _alarms(params: Params, account: Account) -> str | None:
    alarms = found(params, "DeploymentConfig.AutoRollbackConfiguration.Alarms")
    names = [alarm["AlarmName"] for alarm in alarms] if isinstance(alarms, list) else []
    if not names:
        return None
    answer = account.moto("cloudwatch").describe_alarms(AlarmNames=names)
    existing = {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, [])}
    missing = [name for name in names if name not in existing]
    return f"The CloudWatch alarm(s) {', '.join(missing)} do not exist." if missing else None


def _excluded(params: Params, _: Account) -> str | None:
    kinds = [entry["VariantPropertyType"] for entry in params.get("ExcludeRetainedVariantProperties", [])]
    if kinds and not params.get("RetainAllVariantProperties"):
        return "ExcludeRetainedVariantProperties is for updates with RetainAllVariantProperties only."
    return (
        "The variant property DataCaptureConfig is not currently supported." if "DataCaptureConfig" in kinds else None
    )


RULES = (
    Rule(("sagemaker:CreateEndpointConfig",), _V, keys.SOURCE, keys.exists_at("KmsKeyId")),
    Rule(("sagemaker:CreateEndpointConfig",), _V, keys.SOURCE, keys.exists_at("DataCaptureConfig.KmsKeyId")),
    Rule(
        _CHANGES,
        _V,
        "CanarySize: at most 50%, LinearStepSize: 10-50%, MaximumBatchSize: 5% to 50% of the total instance count.",
        _step_size,
    ),
    Rule(_CHANGES, _V, "Alarm.AlarmName: The name of a CloudWatch alarm in your account.", _alarms),
    Rule(
        ("sagemaker:UpdateEndpoint",),
        _V,
        "VariantPropertyType: DataCaptureConfig (Not currently supported.); ExcludeRetainedVariantProperties is "
        "required with RetainAllVariantProperties",
        _excluded,
    ),
)
