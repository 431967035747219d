"""Application Auto Scaling: moto stores targets and policies; nothing scales."""

from __future__ import annotations

from typing import ClassVar

from mlops_constructs.local_aws.service import Params, Service


class AutoScalingService(Service):
    """What moto leaves undone."""

    service_name: ClassVar[str] = "application-autoscaling"

    def after_deregister_scalable_target(self, params: Params, headers: dict[str, str]) -> None:
        """Delete the target's policies.

        "Deregistering a scalable target deletes the scaling policies that are associated with it."
        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
        """
        keys = {name: params[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        moto = self.account.moto("application-autoscaling")
        for policy in moto.describe_scaling_policies(**keys)["ScalingPolicies"]:
            moto.delete_scaling_policy(PolicyName=policy["PolicyName"], **keys)
