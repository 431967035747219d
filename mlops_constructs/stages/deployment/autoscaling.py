"""The scalable target and the scaling policy of a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .modes import BACKLOG, backlog_tracking, waking

if TYPE_CHECKING:
    from ...config.serving import Mode
    from .slots import Slot

SCALABLE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def autoscaling(slot: Slot, mode: Mode) -> dict[str, Any]:
    """Return the resources by logical id."""
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
