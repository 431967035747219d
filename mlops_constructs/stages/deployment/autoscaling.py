"""The scalable target and the scaling policy of a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .slots import Slot

SCALABLE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def autoscaling(slot: Slot) -> dict[str, Any]:
    """Return the resources by logical id."""
    target = slot.resource("ScalableTarget")
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
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                    "TargetValue": slot.value("TargetValue"),
                    "ScaleInCooldown": slot.value("ScaleInCooldown"),
                    "ScaleOutCooldown": slot.value("ScaleOutCooldown"),
                },
            },
        },
    }
