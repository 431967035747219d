"""CloudFormation's operations that end a rollback which has failed, or which somebody has disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudformation.intrinsics import TemplateError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.cloudformation.launcher import StackLauncher
    from mlops_constructs.local_aws.cloudformation.stack import Stack
    from mlops_constructs.local_aws.service import Params


def continue_rollback(stack: Stack, params: Params, launcher: StackLauncher) -> None:
    """Start it. Raises ValidationError unless the stack is in UPDATE_ROLLBACK_FAILED.

    "You can specify only resources that are in the UPDATE_FAILED state because a rollback failed."
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
    """
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise TemplateError(f"Stack:{stack.id} is in {stack.status} state and can not continue rolling back.")
    skipped = params.get("ResourcesToSkip", [])
    failed = {resource.logical_id for resource, _ in stack.unfinished.restore}
    unknown = [name for name in skipped if name not in failed]
    if unknown:
        raise TemplateError(f"[{', '.join(unknown)}] do not belong to stack {stack.name} in UPDATE_FAILED state")
    launcher.finish_rollback(stack, params.get("RoleARN", stack.current.role_arn), skipped)


def roll_back(stack: Stack, params: Params, launcher: StackLauncher) -> None:
    """Start to roll back an update whose rollback was disabled, to the last state that was stable.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html
    """
    if stack.status != "UPDATE_FAILED":
        raise TemplateError(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
    launcher.finish_rollback(stack, params.get("RoleARN", stack.current.role_arn))
