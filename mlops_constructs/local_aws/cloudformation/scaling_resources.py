"""AWS::ApplicationAutoScaling::ScalableTarget and ScalingPolicy, AWS::CloudWatch::Alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.cloudformation.providers import Context, Created, Provider, ResourceError
from mlops_constructs.local_aws.cloudformation.request import request_for

if TYPE_CHECKING:
    from mlops_constructs.local_aws.service import Params

_TARGET_KEYS = ("ResourceId", "ScalableDimension", "ServiceNamespace")


class ScalableTargetProvider(Provider):
    """A scalable target. Ref returns `resource|dimension|namespace`."""

    type: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalableTarget"
    update_in_place: ClassVar[frozenset[str]] = frozenset(
        {"MinCapacity", "MaxCapacity", "RoleARN", "ScheduledActions", "SuspendedState"}
    )
    takes_tags: ClassVar[bool] = False

    def create(self, context: Context, properties: Params) -> Created:
        """RegisterScalableTarget; the variant must exist."""
        client = context.client("application-autoscaling")
        request = request_for(client, "RegisterScalableTarget", _registration(properties))
        _check_variant(context, request)
        client.register_scalable_target(**request)
        _schedule(client, request, {}, properties)
        identifier = "|".join(request[key] for key in _TARGET_KEYS)
        return Created(identifier, {"Id": identifier})

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """RegisterScalableTarget again where that changes, and only the scheduled actions that change."""
        client = context.client("application-autoscaling")
        request = request_for(client, "RegisterScalableTarget", _registration(new))
        if _registration(old) != _registration(new):
            client.register_scalable_target(**request)
        _schedule(client, request, old, new)

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """DeregisterScalableTarget."""
        context.client("application-autoscaling").deregister_scalable_target(**target_keys(physical_id))


class ScalingPolicyProvider(Provider):
    """A scaling policy. Ref returns its ARN."""

    type: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalingPolicy"
    update_in_place: ClassVar[frozenset[str]] = frozenset(
        {"PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration"}
    )
    takes_tags: ClassVar[bool] = False

    def create(self, context: Context, properties: Params) -> Created:
        """PutScalingPolicy; the scalable target must be registered."""
        client = context.client("application-autoscaling")
        request = _policy_request(client, properties)
        keys = {key: request[key] for key in _TARGET_KEYS}
        found = client.describe_scalable_targets(
            ServiceNamespace=keys["ServiceNamespace"],
            ResourceIds=[keys["ResourceId"]],
            ScalableDimension=keys["ScalableDimension"],
        )
        if not found["ScalableTargets"]:
            raise ResourceError(f"No scalable target registered for {keys['ResourceId']}")
        answer = client.put_scaling_policy(**request)
        named = {"Arn": answer["PolicyARN"], "PolicyName": request["PolicyName"], **keys}
        return Created(answer["PolicyARN"], named)

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """PutScalingPolicy again."""
        client = context.client("application-autoscaling")
        client.put_scaling_policy(**_policy_request(client, new))

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """DeleteScalingPolicy."""
        named = {key: attributes[key] for key in ("PolicyName", *_TARGET_KEYS)}
        context.client("application-autoscaling").delete_scaling_policy(**named)


class AlarmProvider(Provider):
    """A CloudWatch alarm. Ref returns its name."""

    type: ClassVar[str] = "AWS::CloudWatch::Alarm"
    name_property: ClassVar[str | None] = "AlarmName"
    maximum_name_length: ClassVar[int] = 255

    def create(self, context: Context, properties: Params) -> Created:
        """PutMetricAlarm."""
        client = context.client("cloudwatch")
        named = {"AlarmName": context.generated_name, **properties}
        client.put_metric_alarm(**request_for(client, "PutMetricAlarm", named))
        alarm = client.describe_alarms(AlarmNames=[named["AlarmName"]])["MetricAlarms"][0]
        return Created(named["AlarmName"], {"Arn": alarm["AlarmArn"]})

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """PutMetricAlarm again."""
        client = context.client("cloudwatch")
        named = {**new, "AlarmName": physical_id}
        client.put_metric_alarm(**request_for(client, "PutMetricAlarm", named))

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """DeleteAlarms."""
        context.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

    def needs_replacement(self, old: Params, new: Params) -> bool:
        """Only a new name requires a new alarm."""
        return old.get("AlarmName") != new.get("AlarmName")


def target_keys(identifier: str) -> dict[str, str]:
    """The three keys of a scalable target, from the result of Ref."""
    parts = identifier.split("|")
    if len(parts) != len(_TARGET_KEYS):
        raise ResourceError(f"{identifier!r} is not a ScalingTargetId")
    return dict(zip(_TARGET_KEYS, parts, strict=True))


def _registration(properties: Params) -> Params:
    return {name: value for name, value in properties.items() if name != "ScheduledActions"}


def _schedule(client: Any, target: Params, old: Params, new: Params) -> None:
    """Put the scheduled actions of a target that are new or changed, and delete those that it no longer has."""
    keys = {key: target[key] for key in _TARGET_KEYS}
    before, after = (_by_name(properties) for properties in (old, new))
    for name in before.keys() - after.keys():
        client.delete_scheduled_action(ScheduledActionName=name, **keys)
    for name, action in after.items():
        if before.get(name) != action:
            client.put_scheduled_action(**request_for(client, "PutScheduledAction", {**action, **keys}))


def _by_name(properties: Params) -> dict[str, Params]:
    actions = properties.get("ScheduledActions", [])
    named = {action.get("ScheduledActionName", ""): action for action in actions}
    if len(named) < len(actions):
        raise ResourceError("Two scheduled actions have the same ScheduledActionName")
    return named


def _policy_request(client: Any, properties: Params) -> Params:
    request = {name: value for name, value in properties.items() if name != "ScalingTargetId"}
    if "ScalingTargetId" in properties:
        request.update(target_keys(properties["ScalingTargetId"]))
    return request_for(client, "PutScalingPolicy", request)


def _check_variant(context: Context, request: Params) -> None:
    if request["ServiceNamespace"] != "sagemaker":
        raise ResourceError(f"the local AWS scales SageMaker endpoints only, not {request['ServiceNamespace']}")
    parts = request["ResourceId"].split("/")
    if len(parts) != 4 or parts[0] != "endpoint" or parts[2] != "variant":
        raise ResourceError(f"Unsupported service namespace, resource type or scalable dimension: {parts}")
    endpoint = context.client("sagemaker").describe_endpoint(EndpointName=parts[1])
    if parts[3] not in [variant["VariantName"] for variant in endpoint.get("ProductionVariants", [])]:
        raise ResourceError(f"Could not find variant {parts[3]} of endpoint {parts[1]}")
