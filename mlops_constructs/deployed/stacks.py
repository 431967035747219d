"""The CloudFormation stacks of the endpoints: whether they exist, and whether they are paused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .clients import code_of, explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .clients import Clients

# The parameter of the endpoints' template: when the endpoint was paused, or RUNS.
PAUSED, RUNS = "Paused", "no"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack.

    Attributes:
        name: Its name.
        id: Its ARN; a later stack with the same name has another one.
        status: Its status, such as ``CREATE_COMPLETE``.
        reason: Why it has this status; empty when CloudFormation does not say.
        role_arn: Role with which it is deployed; empty without one.
        parameters: The parameters of its last deployment, defaults included.
        outputs: Its outputs.
    """

    name: str
    id: str
    status: str
    reason: str
    role_arn: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def changes(self) -> bool:
        """Whether it is being changed; a change set that is only prepared changes nothing."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def paused_at(self) -> str | None:
        """When its endpoint was paused, in ISO 8601; None while it is not."""
        found = self.parameters.get(PAUSED, RUNS)
        return None if found == RUNS else found


def find_stack(client: Clients, name: str) -> Stack | None:
    """Look up a stack by its name or ARN; None when it does not exist. Raises MlopsError when AWS refuses."""
    from botocore.exceptions import ClientError

    with explained(f"the stack {name} could not be looked up"):
        try:
            found: dict[str, Any] = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
    return Stack(
        name=found["StackName"],
        id=found["StackId"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        role_arn=found.get("RoleARN", ""),
        parameters={one["ParameterKey"]: str(one.get("ParameterValue", "")) for one in found.get("Parameters", [])},
        outputs={one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])},
    )
