"""One CloudFormation stack: changes it and waits until the operation has ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codepipeline.state import ActionFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_constructs.local_aws.codepipeline.context import ActionContext

POLL_SECONDS = 0.3
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
_REPLACED = (
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "CREATE_FAILED",
    "DELETE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
)
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


class Stack:
    """A stack, called under the action's role. Its methods wait for the end, and raise `ActionFailedError`."""

    def __init__(self, context: ActionContext, name: str) -> None:
        self.name = name
        self.id = name
        self._context = context
        self._cloudformation = context.client("cloudformation")
        self._since = utc_now() - timedelta(seconds=1)  # the times of stack events are not exact

    @property
    def status(self) -> str | None:
        """The stack's present status; None when there is no such stack."""
        described = self._described()
        return None if described is None else str(described["StackStatus"])

    @property
    def exists(self) -> bool:
        """Whether the stack can be updated, rather than created."""
        return self.status not in (None, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE")

    @property
    def failed(self) -> bool:
        """Whether REPLACE_ON_FAILURE would delete it."""
        return self.status in _REPLACED

    def create(self, request: dict[str, Any]) -> None:
        """Create and wait."""
        self._cloudformation.create_stack(StackName=self.name, **request)
        self._settle()

    def update(self, request: dict[str, Any]) -> None:
        """Update and wait; it is not an error when there is nothing to update."""
        try:
            self._cloudformation.update_stack(StackName=self.name, **request)
        except ClientError as error:
            if not _mentions(error.response["Error"]["Message"], _NO_CHANGES):
                raise
            return
        self._settle()

    def delete(self, role: dict[str, str]) -> None:
        """Delete and wait."""
        self._cloudformation.delete_stack(StackName=self.name, **role)
        while (status := self.status) not in (None, "DELETE_COMPLETE"):
            if status == "DELETE_FAILED":
                raise ActionFailedError(f"the stack {self.name} is DELETE_FAILED{self._first_failure()}")
            self._context.pause(POLL_SECONDS)

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        described = self._described()
        listed = described.get("Outputs", []) if described is not None else []
        return {output["OutputKey"]: output["OutputValue"] for output in listed}

    def replace_change_set(self, name: str, request: dict[str, Any]) -> None:
        """Create a change set, replacing the one with the same name, and wait for it."""
        kind = "UPDATE" if self.exists else "CREATE"
        if self.status is not None:
            self._cloudformation.delete_change_set(StackName=self.name, ChangeSetName=name)
        self._cloudformation.create_change_set(StackName=self.name, ChangeSetName=name, ChangeSetType=kind, **request)
        described = self._change_set(name)
        while described["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            self._context.pause(POLL_SECONDS)
            described = self._change_set(name)
        reason = described.get("StatusReason", "")
        if described["Status"] == "FAILED" and not _mentions(reason, _NO_CHANGES):
            raise ActionFailedError(f"the change set {name} of the stack {self.name} failed: {reason}")

    def execute_change_set(self, name: str) -> None:
        """Execute and wait; an empty change set changes nothing."""
        described = self._change_set(name)
        if described["Status"] == "FAILED" and _mentions(described.get("StatusReason", ""), _NO_CHANGES):
            return
        self._cloudformation.execute_change_set(StackName=self.name, ChangeSetName=name)
        self._settle()

    def _change_set(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = self._cloudformation.describe_change_set(StackName=self.name, ChangeSetName=name)
        return described

    def _settle(self) -> None:
        while True:
            described = self._described()
            status = "DELETE_COMPLETE" if described is None else described["StackStatus"]
            if described is not None:
                self.id = described["StackId"]
            if not status.endswith("_IN_PROGRESS"):
                break
            self._context.pause(POLL_SECONDS)
        if described is None or status not in _GOOD:
            raise ActionFailedError(f"the stack {self.name} is {status}{self._first_failure()}")

    def _first_failure(self) -> str:
        """A text about the first resource that failed since the action began."""
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.name)
        try:
            events = [event for page in pages for event in page["StackEvents"]]
        except ClientError:
            return ""
        for event in reversed(events):
            if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"] >= self._since:
                why = event.get("ResourceStatusReason", "no reason given")
                return f": {event['LogicalResourceId']} ({event['ResourceType']}): {why}"
        return ""

    def _described(self) -> dict[str, Any] | None:
        try:
            stacks = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        return stacks[0] if stacks else None


def _mentions(text: str, phrases: Iterable[str]) -> bool:
    return any(phrase in text for phrase in phrases)
