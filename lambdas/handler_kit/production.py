"""The stack of production: which model package it serves, with which parameters, and whether it can be updated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from handler_kit.errors import StepError, error_code, error_message

# In these states nothing has ever been served from the stack, or nothing is any more.
_NOT_SERVING = ("REVIEW_", "CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_", "DELETE_")


# The first creation failed: no endpoint has ever served, and no change set can be made.
_NEVER_SERVED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
_REMEDIES = {
    "UPDATE_ROLLBACK_FAILED": (
        "aws cloudformation continue-update-rollback --stack-name {stack} (with --resources-to-skip and the logical id"
        " of a resource that somebody deleted by hand)"
    ),
    "UPDATE_FAILED": "aws cloudformation rollback-stack --stack-name {stack}",
    "DELETE_FAILED": "aws cloudformation delete-stack --stack-name {stack}",
}


@dataclass(frozen=True)
class Stack:
    """The CloudFormation stack of production.

    Attributes:
        name: Its name.
        id: Its ARN, which no later stack of the name has.
        status: ``CREATE_COMPLETE`` and others.
        parameters: What it was last deployed with, defaults among them.
    """

    name: str
    id: str
    status: str
    parameters: dict[str, str]

    @property
    def serves(self) -> bool:
        """Whether an endpoint of it may answer."""
        return not self.status.startswith(_NOT_SERVING)

    @property
    def never_served(self) -> bool:
        """Whether its first creation failed, so that it can only be deleted."""
        return self.status in _NEVER_SERVED

    def check(self) -> None:
        """Raise StepError, with the command that mends it, where no release can update the stack."""
        remedy = _REMEDIES.get(self.status)
        if remedy is not None:
            raise StepError(
                f"Stack {self.name} is in {self.status}, so that no release can reach production. Run:"
                f" {remedy.format(stack=self.name)}; then retry the stage.",
                external_id=self.id,
            )


def find_stack(cloudformation: Any, name: str) -> Stack | None:
    """The stack, or ``None`` where there is none. Raises ClientError when CloudFormation refuses."""
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
            return None
        raise
    parameters = {one["ParameterKey"]: str(one.get("ParameterValue", "")) for one in found.get("Parameters", [])}
    return Stack(name, found["StackId"], found["StackStatus"], parameters)


def package_in_production(cloudformation: Any, stack_name: str) -> str | None:
    """The ARN of the package in production, empty when the stack does not tell; ``None`` without production."""
    stack = find_stack(cloudformation, stack_name)
    if stack is None or not stack.serves:
        return None
    return stack.parameters.get("ModelPackageArn", "")
