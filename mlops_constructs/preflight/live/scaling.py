"""What Application Auto Scaling does with the permissions of RegisterScalableTarget's caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .verdict import refusal

if TYPE_CHECKING:
    from .room import Room
    from .verdict import Verdicts

_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_OWN = {"Action": "application-autoscaling:*", "Resource": "*"}
_PROBED = [
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
]


def registering_probes_the_caller(room: Room) -> Verdicts:
    """Register an endpoint that does not exist, as a role that may do only this.

    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html; the refusal
    reads "User is missing the following permissions" (hashicorp/terraform-provider-aws #46385).
    """
    problem = _register(room, room.role("scaler", [room.account], [_OWN]))
    return _judge(problem)


def probes_come_via_a_service(room: Room) -> Verdicts:
    """The same, with the permissions in question, under the condition ``aws:ViaAWSService``."""
    condition = {"Bool": {"aws:ViaAWSService": "true"}}
    role = room.role("scaler", [room.account], [_OWN])
    if _judge(_register(room, role))[0] != "yes":
        return "undecided", "RegisterScalableTarget did not say that permissions are missing"
    room.allow("scaler", [_OWN, {"Action": _PROBED, "Resource": "*", "Condition": condition}])
    problem = _register(room, role)
    if _judge(problem)[0] == "yes":
        return "no", problem
    return "yes", problem or "with the condition, the target was registered"


def _judge(problem: str) -> Verdicts:
    if "missing" in problem and "permission" in problem:
        return "yes", problem
    if problem.startswith("AccessDenied"):
        return "undecided", problem
    return "no", problem or "the target was registered without any other permission"


def _register(room: Room, role: str) -> str:
    scaling = room.client("application-autoscaling", role)
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{room.name('endpoint')}/variant/primary",
        "ScalableDimension": _DIMENSION,
    }
    own = room.client("application-autoscaling")
    room.on_leave(f"scalable target {target['ResourceId']}", lambda: own.deregister_scalable_target(**target))
    return refusal(lambda: scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=1))
