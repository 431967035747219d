"""The production stack: which model package it serves, with which parameters, and whether it can be updated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from handler_kit.errors import StepError, error_code, error_message

# A stack with one of these statuses has no endpoint that serves: it has never had one, or no longer has one.
_NOT_SERVING = ("REVIEW_", "CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_", "DELETE_")


_RUNS = "no"
# The first creation of the stack failed: no endpoint has ever served, and no change set can be created.
_NEVER_SERVED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
_CAN_BE_UPDATED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})
_IMPORT_AGAIN = (
    "aws cloudformation describe-stack-events --stack-name {stack} (says why an import of resources into the stack"
    " failed), and import them again"
)
# A role may delete only what has its pipeline's tag, and what does not exist has none: the deletion is denied.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
DELETE_AGAIN = (
    "aws cloudformation delete-stack --stack-name {stack} (if it fails again for a resource that somebody deleted by"
    " hand, with --deletion-mode FORCE_DELETE_STACK)"
)
_REMEDIES = {
    "IMPORT_ROLLBACK_COMPLETE": _IMPORT_AGAIN,
    "IMPORT_ROLLBACK_FAILED": _IMPORT_AGAIN,
    "UPDATE_ROLLBACK_FAILED": (
        "aws cloudformation continue-update-rollback --stack-name {stack} (with --resources-to-skip and the logical id"
        " of a resource that somebody deleted by hand)"
    ),
    "UPDATE_FAILED": "aws cloudformation rollback-stack --stack-name {stack}",
    "DELETE_FAILED": DELETE_AGAIN,
}


@dataclass(frozen=True)
class Stack:
    """The CloudFormation stack of the production endpoint.

    Attributes:
        name: Its name.
        id: Its ARN; a later stack with the same name has another ARN.
        status: Its status, such as ``CREATE_COMPLETE``.
        parameters: The parameters of its last deployment, including defaults.
    """

    name: str
    id: str
    status: str
    parameters: dict[str, str]

    @property
    def serves(self) -> bool:
        """Whether it may have an endpoint that serves, or had one when it was paused."""
        return not self.status.startswith(_NOT_SERVING)

    @property
    def paused_at(self) -> str | None:
        """When a person paused its endpoint; ``None`` while it has one. Its model stays the one in production."""
        found = self.parameters.get("Paused", _RUNS)
        return None if found == _RUNS else found

    @property
    def can_be_updated(self) -> bool:
        """Whether it serves, and is neither paused nor being changed."""
        return self.status in _CAN_BE_UPDATED and self.paused_at is None

    @property
    def never_served(self) -> bool:
        """Whether its first creation failed, so that it can only be deleted."""
        return self.status in _NEVER_SERVED

    def check(self) -> None:
        """Raise StepError when no release can update the stack; the message has the command that fixes it."""
        remedy = _REMEDIES.get(self.status)
        if remedy is not None:
            raise StepError(
                f"Stack {self.name} has the status {self.status}, so no release can be deployed to production. Run:"
                f" {remedy.format(stack=self.name)}; then retry the stage.",
                external_id=self.id,
            )


def find_stack(cloudformation: Any, name: str) -> Stack | None:
    """The stack, or ``None`` when it does not exist. Raises ClientError when CloudFormation returns an error."""
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
            return None
        raise
    parameters = {one["ParameterKey"]: str(one.get("ParameterValue", "")) for one in found.get("Parameters", [])}
    return Stack(name, found["StackId"], found["StackStatus"], parameters)


def package_in_production(cloudformation: Any, stack_name: str) -> str | None:
    """The ARN of the model package in production: empty when the stack has none, ``None`` without production."""
    return package_of(find_stack(cloudformation, stack_name))


def package_of(stack: Stack | None) -> str | None:
    """The same for a stack that was looked up; a paused endpoint's model package is still the one in production."""
    if stack is None or not stack.serves:
        return None
    return stack.parameters.get("ModelPackageArn", "")
