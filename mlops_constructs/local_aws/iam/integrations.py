"""What a service does with its caller's permissions, in addition to the call itself.

One row per integration, with AWS's page. What a service does with a role that is passed to it is in
``service_roles`` and, for the role of a stack, in ``handlers``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .calls import Check
from .request import Context

if TYPE_CHECKING:
    from .calls import Call


@dataclass(frozen=True, slots=True)
class Integration:
    """Something that a service does with its caller's permissions.

    Attributes:
        name: A sentence that describes it.
        source: AWS's page, or a public report where AWS has none.
        calls: The calls that cause it: service and operation, as botocore names them.
        needs: Actions, each with the part of the ARN after the account; an empty resource is ``*``.
        when: A member of the request and its value; empty when it always happens.
    """

    name: str
    source: str
    calls: frozenset[tuple[str, str]]
    needs: tuple[tuple[str, str], ...]
    when: tuple[str, str] = ("", "")

    def checks(self, call: Call) -> tuple[Check, ...]:
        """Return the permissions that a call needs for this integration; none for other calls."""
        member, value = self.when
        if (call.service, call.operation) not in self.calls or (member and call.text(member) != value):
            return ()
        return tuple(
            Check(action, call.arn(action.partition(":")[0], resource) if resource else "*", Context())
            for action, resource in self.needs
        )


_SCALING = frozenset(
    {("application-autoscaling", "RegisterScalableTarget"), ("application-autoscaling", "PutScalingPolicy")}
)
# Names that no endpoint has: Auto Scaling validates with random names, which no pattern of names allows.
_ANY_ENDPOINT, _ANY_CONFIG = "endpoint/permission-validation", "endpoint-config/permission-validation"

INTEGRATIONS: tuple[Integration, ...] = (
    Integration(
        name="Application Auto Scaling tries what its service-linked role will do to alarms, without naming one",
        source="https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html",
        calls=_SCALING,
        needs=(
            ("cloudwatch:DescribeAlarms", "alarm:*"),
            ("cloudwatch:PutMetricAlarm", "alarm:"),
            ("cloudwatch:DeleteAlarms", "alarm:"),
        ),
    ),
    Integration(
        name="Application Auto Scaling tries what its service-linked role will do to SageMaker, with random names",
        source="https://github.com/aws-controllers-k8s/community/issues/2110",
        calls=_SCALING,
        needs=(
            ("sagemaker:DescribeEndpoint", _ANY_ENDPOINT),
            ("sagemaker:DescribeEndpointConfig", _ANY_CONFIG),
            ("sagemaker:UpdateEndpointWeightsAndCapacities", _ANY_ENDPOINT),
        ),
        when=("ServiceNamespace", "sagemaker"),
    ),
)
"""The integrations that the pipelines of this project need."""


def checks_with_callers_rights(call: Call) -> tuple[Check, ...]:
    """Return the permissions for what services do with the caller's permissions because of a call."""
    return tuple(check for integration in INTEGRATIONS for check in integration.checks(call))
