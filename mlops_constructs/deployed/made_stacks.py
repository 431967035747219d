"""The CloudFormation stacks of a pipeline's endpoints."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .made import Made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .made import Patience
    from .pipeline import DeployedPipeline

_ENDPOINT = "AWS::SageMaker::Endpoint"
_MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack")


class Stacks:
    """The stacks, each of which is deleted with the role that it was deployed with.

    Args:
        pipeline: The pipeline.
        patience: How long it waits.
        delete_directly: Deletes a resource that its stack could not delete, by type and physical id.
    """

    def __init__(
        self, pipeline: DeployedPipeline, patience: Patience, delete_directly: Callable[[str, str], None]
    ) -> None:
        """Prepare; nothing is called yet."""
        self._pipeline, self._patience, self._delete_directly = pipeline, patience, delete_directly

    def found(self) -> Iterator[Made]:
        """Return the stacks, production first."""
        for name in reversed(self._pipeline.stacks):
            stack = self._stack(name)
            if stack is not None:
                yield Made("stack", name, partial(self._delete, name, stack["StackId"]))

    def resources(self) -> Iterator[str]:
        """Return the physical ids of what the stacks have."""
        for name in self._pipeline.stacks:
            if self._stack(name) is not None:
                yield from (one.get("PhysicalResourceId", "") for one in self._resources(name))

    def _delete(self, name: str, stack_id: str) -> None:
        with explained(f"the stack {name} could not be deleted"):
            self._await_rest(name, stack_id)
            if self._end(name, stack_id) == "DELETE_FAILED":
                self._delete_what_is_left(name, stack_id)

    def _await_rest(self, name: str, stack_id: str) -> None:
        """Wait until neither CloudFormation nor SageMaker changes it: neither deletes what is being changed."""
        self._patience.until(lambda: not _is_busy(self._stack(stack_id)), f"the stack {name} has been changing")
        for one in self._resources(stack_id):
            if one["ResourceType"] == _ENDPOINT and one.get("PhysicalResourceId"):
                endpoint = one["PhysicalResourceId"].rpartition("/")[2]
                self._patience.until(
                    lambda endpoint=endpoint: not self._moves(endpoint),  # type: ignore[misc]
                    f"the endpoint {endpoint} has been changing",
                )

    def _end(self, name: str, stack_id: str, **how: Any) -> str:
        """Delete the stack with its own role, and wait; return its last status."""
        from botocore.exceptions import ClientError

        try:
            self._pipeline.client("cloudformation").delete_stack(StackName=stack_id, **how)
        except ClientError as error:
            if code_of(error) != "ValidationError" or "assume" not in str(error):
                raise
            raise MlopsError(
                f"the stack {name} cannot be deleted: CloudFormation cannot assume the role that it was deployed with:"
                f" {error}. Run cdktf deploy, which makes the role again, then run this again"
            ) from error
        self._patience.until(
            lambda: self._status(stack_id) != "DELETE_IN_PROGRESS", f"the stack {name} has been in deletion"
        )
        return self._status(stack_id)

    def _delete_what_is_left(self, name: str, stack_id: str) -> None:
        """Delete what its stack could not, then the stack without it."""
        reason = (self._stack(stack_id) or {}).get("StackStatusReason", "no reason")
        left = [one for one in self._resources(stack_id) if one.get("ResourceStatus") == "DELETE_FAILED"]
        try:
            for one in left:
                self._delete_directly(one["ResourceType"], one.get("PhysicalResourceId", ""))
        except MlopsError as error:
            raise MlopsError(f"the stack {name} is DELETE_FAILED: {reason} {error}") from error
        if self._end(name, stack_id, DeletionMode="FORCE_DELETE_STACK") == "DELETE_FAILED":
            raise MlopsError(f"the stack {name} is DELETE_FAILED: {reason}; see its events, then run this again")

    def _stack(self, name: str) -> Mapping[str, Any] | None:
        """Return a stack that is not deleted; unlike by its name, a deleted stack can be described by its id."""
        from botocore.exceptions import ClientError

        try:
            found: Sequence[Mapping[str, Any]] = self._pipeline.client("cloudformation").describe_stacks(
                StackName=name
            )["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        return None if found[0]["StackStatus"] == "DELETE_COMPLETE" else found[0]

    def _status(self, stack_id: str) -> str:
        stack = self._stack(stack_id)
        return "DELETE_COMPLETE" if stack is None else str(stack["StackStatus"])

    def _resources(self, name: str) -> list[dict[str, Any]]:
        from botocore.exceptions import ClientError

        try:
            found: list[dict[str, Any]] = self._pipeline.client("cloudformation").describe_stack_resources(
                StackName=name
            )["StackResources"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return []
            raise
        return [one for one in found if one.get("ResourceStatus") != "DELETE_COMPLETE"]

    def _moves(self, endpoint: str) -> bool:
        from botocore.exceptions import ClientError

        try:
            status = self._pipeline.client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
        except ClientError as error:
            if code_of(error) != "ValidationException":
                raise
            return False
        return status in _MOVING


def _is_busy(stack: Mapping[str, Any] | None) -> bool:
    """Tell whether CloudFormation is changing a stack; one in review has only a change set."""
    status = "" if stack is None else stack["StackStatus"]
    return status.endswith("_IN_PROGRESS") and status not in ("DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
