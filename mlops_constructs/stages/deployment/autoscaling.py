"""The scalable target and the scaling policy of a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .modes import BACKLOG, backlog_tracking, waking

if TYPE_CHECKING:
    from ...config import Endpoint
    from .slots import Slot

SCALABLE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def autoscaling(config: Endpoint, slot: Slot) -> dict[str, Any]:
    """Return the resources by logical id."""
    mode = config.mode
    if mode == "serverless":
        return {}
    target = slot.resource("ScalableTarget")
    predefined = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    return {
        target: {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Condition": slot.scales,
            "DependsOn": "Endpoint",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ResourceId": {"Fn::Sub": f"endpoint/${{EndpointName}}/variant/{slot.variant}"},
                "ScalableDimension": SCALABLE_DIMENSION,
                "MinCapacity": slot.value("MinCapacity"),
                "MaxCapacity": slot.value("MaxCapacity"),
                **_office_hours(config, slot),
            },
        },
        slot.resource("ScalingPolicy"): {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Condition": slot.scales,
            "Properties": {
                "PolicyName": {"Fn::Sub": f"${{EndpointName}}-{slot.variant}"},
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": target},
                "TargetTrackingScalingPolicyConfiguration": {
                    **(predefined if mode == "real-time" else backlog_tracking()),
                    "TargetValue": slot.value("TargetValue" if mode == "real-time" else BACKLOG),
                    "ScaleInCooldown": slot.value("ScaleInCooldown"),
                    "ScaleOutCooldown": slot.value("ScaleOutCooldown"),
                },
            },
        },
        **(waking(slot) if mode == "asynchronous" else {}),
    }


def _office_hours(config: Endpoint, slot: Slot) -> dict[str, Any]:
    """Return the scheduled actions of a scalable target; a data set may change the capacities within the hours."""
    hours = None if config.autoscaling is None else config.autoscaling.office_hours
    if hours is None:
        return {}
    within = {name: slot.value(name) for name in ("MinCapacity", "MaxCapacity")}
    outside = {"MinCapacity": hours.min_capacity_outside, "MaxCapacity": hours.max_capacity_outside}
    actions = (("office-hours-begin", hours.begin, within), ("office-hours-end", hours.end, outside))
    return {
        "ScheduledActions": [
            {
                "ScheduledActionName": name,
                "Schedule": hours.cron(time),
                "Timezone": hours.time_zone,
                "ScalableTargetAction": capacities,
            }
            for name, time, capacities in actions
        ]
    }
