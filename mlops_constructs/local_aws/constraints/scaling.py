"""Application Auto Scaling of endpoint variants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.constraints.instances import is_burstable
from mlops_constructs.local_aws.constraints.rule import Rule, found
from mlops_constructs.local_aws.schedules import Schedule, ScheduleError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_REGISTER, _PUT = "application-autoscaling:RegisterScalableTarget", "application-autoscaling:PutScalingPolicy"
_SCHEDULE = "application-autoscaling:PutScheduledAction"
_DEREGISTER = "application-autoscaling:DeregisterScalableTarget"
_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
_SOURCE = "https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html"
_KINDS = {"TargetTrackingScaling": _TRACKING, "StepScaling": "StepScalingPolicyConfiguration"}


def _capacity(params: Params, account: Account) -> str | None:
    target = _target(params, account)
    if target is None and not params.keys() >= {"MinCapacity", "MaxCapacity"}:
        return "MinCapacity and MaxCapacity are required when registering a new scalable target"
    merged = {**(target if target is not None else {}), **params}
    least, most = merged["MinCapacity"], merged["MaxCapacity"]
    return f"Maximum capacity {most} cannot be less than minimum capacity {least}" if least > most else None


def _least(params: Params, account: Account) -> str | None:
    if params["ScalableDimension"] != "sagemaker:variant:DesiredInstanceCount" or params.get("MinCapacity", 1) >= 1:
        return None
    match = _VARIANT.fullmatch(params["ResourceId"])
    if match is not None and _is_asynchronous(match[1], account):
        return None
    return "MinCapacity of an endpoint variant must be at least 1"


def _is_asynchronous(endpoint: str, account: Account) -> bool:
    try:
        return "AsyncInferenceConfig" in account.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    except ClientError:  # `_variant` reports an endpoint that does not exist
        return False


def _target(params: Params, account: Account) -> Params | None:
    targets = account.moto("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=params["ServiceNamespace"],
        ResourceIds=[params["ResourceId"]],
        ScalableDimension=params["ScalableDimension"],
    )["ScalableTargets"]
    return next(iter(targets), None)


def _dimension(params: Params, _: Account) -> str | None:
    namespace, dimension = params["ServiceNamespace"], params["ScalableDimension"]
    if not dimension.startswith(f"{namespace}:"):
        return f"Unsupported scalable dimension {dimension} for the service namespace {namespace}"
    return None


def _variant(params: Params, account: Account) -> str | None:
    match = _VARIANT.fullmatch(params["ResourceId"])
    if params["ServiceNamespace"] != "sagemaker" or match is None:
        return None
    endpoint, name = match.groups()
    sagemaker = account.client("sagemaker")
    try:
        config_name = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        config = sagemaker.describe_endpoint_config(EndpointConfigName=config_name)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    for variant in config["ProductionVariants"]:
        if variant["VariantName"] == name:
            if "ServerlessConfig" in variant:
                return f"The serverless variant {name} has no instances to scale"
            burstable = is_burstable(variant.get("InstanceType", ""))
            return f"{variant['InstanceType']} does not support automatic scaling" if burstable else None
    return f"Could not find variant {name} of endpoint {endpoint}"


def _registered(params: Params, account: Account) -> str | None:
    if _target(params, account) is not None:
        return None
    return (
        f"No scalable target registered for service namespace: {params['ServiceNamespace']}, "
        f"resource ID: {params['ResourceId']}, scalable dimension: {params['ScalableDimension']}"
    )


def _policy(params: Params, account: Account) -> str | None:
    kind = params.get("PolicyType")
    known = account.moto("application-autoscaling").describe_scaling_policies(
        PolicyNames=[params["PolicyName"]],
        ServiceNamespace=params["ServiceNamespace"],
        ResourceId=params["ResourceId"],
        ScalableDimension=params["ScalableDimension"],
    )["ScalingPolicies"]
    if kind is None:
        return None if known else "PolicyType is required to create a scaling policy"
    member = _KINDS.get(kind)
    return f"{member} is required for the policy type {kind}" if member is not None and member not in params else None


def _schedule(params: Params, _: Account) -> str | None:
    if "Schedule" not in params:
        return "Schedule is required to create a scheduled action"
    try:
        Schedule.parse(params["Schedule"], params.get("Timezone"))
    except ScheduleError as error:
        return f"Invalid schedule expression: {error}"
    return None


def _scheduled_capacity(params: Params, account: Account) -> str | None:
    wanted = params.get("ScalableTargetAction", {})
    if not wanted:
        return "ScalableTargetAction must have MinCapacity, MaxCapacity or both"
    least, most = wanted.get("MinCapacity"), wanted.get("MaxCapacity")
    if least is not None and most is not None and least > most:
        return f"Maximum capacity {most} cannot be less than minimum capacity {least}"
    return _least({**params, **wanted}, account)


def _label(params: Params, _: Account) -> str | None:
    metric = found(params, f"{_TRACKING}.PredefinedMetricSpecification")
    if not isinstance(metric, dict) or "ResourceLabel" not in metric:
        return None
    if metric["PredefinedMetricType"] == "ALBRequestCountPerTarget":
        return None
    return "A resource label cannot be specified unless the metric type is ALBRequestCountPerTarget"


RULES = (
    Rule(
        (_REGISTER,),
        _V,
        "RegisterScalableTarget.MinCapacity: This property is required when registering a new scalable target.",
        _capacity,
    ),
    Rule(
        (_REGISTER,),
        _V,
        "https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-add-policy.html: minimum of at least 1; "
        "0 for asynchronous ones: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html; "
        "0 is for inference components: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html",
        _least,
    ),
    Rule((_REGISTER, _PUT, _SCHEDULE), _V, "ScalableDimension: begins with the service namespace.", _dimension),
    Rule((_REGISTER,), _V, _SOURCE, _variant),
    Rule(
        (_PUT,),
        "ObjectNotFoundException",
        "You cannot create a scaling policy until you have registered the resource as a scalable target.",
        _registered,
    ),
    Rule(
        (_DEREGISTER,),
        "ObjectNotFoundException",
        "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html#API_DeregisterScalableTarget_Errors",
        _registered,
    ),
    Rule(
        (_SCHEDULE,),
        "ObjectNotFoundException",
        "You cannot create a scheduled action until you have registered the resource as a scalable target.",
        _registered,
    ),
    Rule(
        (_SCHEDULE,),
        _V,
        "https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html",
        _schedule,
    ),
    Rule(
        (_SCHEDULE,),
        _V,
        "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTargetAction.html",
        _scheduled_capacity,
    ),
    Rule((_PUT,), _V, f"PolicyType, {_TRACKING}: required if you are creating a policy.", _policy),
    Rule((_PUT,), _V, "ResourceLabel: only if the metric type is ALBRequestCountPerTarget.", _label),
)
