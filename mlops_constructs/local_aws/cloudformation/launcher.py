"""Starts operations on stacks, each in a thread of its own and under the stack's role."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.cloudformation.operations import StackOperation
from mlops_constructs.local_aws.cloudformation.stack_role import StackRole
from mlops_constructs.local_aws.roles import assume_as

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudformation.plan import Place, Providers
    from mlops_constructs.local_aws.cloudformation.stack import Desired, Stack

logger = logging.getLogger(__name__)


class StackLauncher:
    """Creates, updates and deletes stacks in the background."""

    def __init__(self, account: Account, providers: Providers, place: Place) -> None:
        self._account = account
        self._providers = providers
        self._place = place

    def create(self, stack: Stack, desired: Desired, *, roll_back: bool) -> None:
        """Start to create a stack."""
        stack.desired = desired
        stack.move_to("CREATE_IN_PROGRESS", "User Initiated")

        def work(operation: StackOperation) -> None:
            operation.create(roll_back=roll_back)

        self._run(stack, desired, desired.role_arn, work, "ROLLBACK_FAILED")

    def update(self, stack: Stack, desired: Desired) -> None:
        """Start to update a stack."""
        stack.updated = utc_now()
        stack.move_to("UPDATE_IN_PROGRESS", "User Initiated")
        self._run(stack, desired, desired.role_arn, StackOperation.update, "UPDATE_ROLLBACK_FAILED")

    def delete(self, stack: Stack, desired: Desired, role_arn: str | None) -> None:
        """Start to delete a stack. Raises ValidationError, and leaves it, when its role cannot be assumed."""
        if role_arn is not None:
            self.credentials(role_arn)
        stack.move_to("DELETE_IN_PROGRESS", "User Initiated")
        self._run(stack, desired, role_arn, StackOperation.delete, "DELETE_FAILED")

    def finish_rollback(self, stack: Stack, role_arn: str | None, skipped: Sequence[str] = ()) -> None:
        """Start to roll back an update that failed, or whose rollback failed."""
        stack.move_to("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")

        def work(operation: StackOperation) -> None:
            operation.finish_rollback(skipped)

        self._run(stack, stack.current, role_arn, work, "UPDATE_ROLLBACK_FAILED")

    def credentials(self, role_arn: str) -> Mapping[str, Any]:
        """Credentials of a stack's role. Raises ValidationError when CloudFormation cannot assume it."""
        return assume_as(
            self._account, "cloudformation.amazonaws.com", role_arn, "AWSCloudFormation", "ValidationError"
        )

    def _run(
        self,
        stack: Stack,
        desired: Desired,
        role_arn: str | None,
        work: Callable[[StackOperation], None],
        broken_status: str,
    ) -> None:
        role = StackRole(self._account, None if role_arn is None else self.credentials(role_arn))
        operation = StackOperation(stack, desired, role, self._providers, self._place, self._account.closing)

        def guarded() -> None:
            try:
                work(operation)
            except Exception as error:
                if not self._account.closing.is_set():
                    logger.exception("stack %s", stack.name)
                    stack.move_to(broken_status, f"Internal failure: {type(error).__name__}: {error}")

        self._account.spawn(f"stack-{stack.name}", guarded)
