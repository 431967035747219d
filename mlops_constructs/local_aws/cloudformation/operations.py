"""Creates, updates and deletes a stack; rolls back when a resource fails."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.cloudformation.intrinsics import Scope, TemplateError
from mlops_constructs.local_aws.cloudformation.plan import (
    Place,
    Providers,
    attribute_of,
    make_scope,
)
from mlops_constructs.local_aws.cloudformation.stack import Unfinished
from mlops_constructs.local_aws.cloudformation.steps import ResourceSteps, StepError

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from mlops_constructs.local_aws.cloudformation.stack import Desired, Resource, Stack
    from mlops_constructs.local_aws.cloudformation.stack_role import StackRole
    from mlops_constructs.local_aws.service import Params


class StackOperation:
    """One operation on one stack; it runs in the thread of its caller."""

    def __init__(
        self,
        stack: Stack,
        desired: Desired,
        role: StackRole,
        providers: Providers,
        place: Place,
        closing: threading.Event,
    ) -> None:
        self._stack = stack
        self._desired = desired
        self._place = place
        self._before: dict[str, Resource] = {}
        self._steps = ResourceSteps(stack, role, providers, closing)

    def create(self, *, roll_back: bool) -> None:
        """Create the stack: it becomes CREATE_COMPLETE, or ROLLBACK_COMPLETE when a resource fails."""
        stack = self._stack
        try:
            self._apply()
        except StepError as failure:
            reason = f"The following resource(s) failed to create: [{failure.logical_id}]. "
            if not roll_back:
                stack.move_to("CREATE_FAILED", reason)
                return
            stack.move_to("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
            clean = self._steps.remove(list(reversed(stack.resources.values())))
            stack.move_to("ROLLBACK_COMPLETE" if clean else "ROLLBACK_FAILED")
            return
        stack.move_to("CREATE_COMPLETE")

    def update(self) -> None:
        """Update the stack: it becomes UPDATE_COMPLETE, or UPDATE_ROLLBACK_COMPLETE with its old properties."""
        stack = self._stack
        before = stack.current
        self._before = dict(stack.resources)
        outputs = stack.outputs
        try:
            self._apply()
        except StepError as failure:
            reason = f"The following resource(s) failed to update: [{failure.logical_id}]. "
            stack.move_to("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            self._roll_back(before, outputs)
            return
        stack.move_to("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [item for name, item in self._before.items() if name not in stack.resources]
        self._steps.remove([*reversed(self._steps.retired), *reversed(gone)])
        stack.move_to("UPDATE_COMPLETE")

    def delete(self) -> None:
        """Delete the stack: it becomes DELETE_COMPLETE, or DELETE_FAILED with the names of the remaining resources."""
        stack = self._stack
        if self._steps.remove(list(reversed(stack.resources.values()))):
            stack.deleted = utc_now()
            stack.move_to("DELETE_COMPLETE")
        else:
            left = [name for name, item in stack.resources.items() if item.status == "DELETE_FAILED"]
            stack.move_to("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}]. ")

    def _apply(self) -> None:
        """Create or update every resource of the desired template, and set the outputs."""
        stack, desired = self._stack, self._desired
        stack.desired = desired
        scope = make_scope(stack, desired, self._place, self._physical_id, self._attribute)
        wanted = desired.template.ordered(scope.conditions)
        for definition in wanted:
            self._steps.bring(definition, scope, self._desired)
        with stack.lock:  # sorted by dependency: deletion uses the reverse order
            stack.resources = {item.logical_id: stack.resources[item.logical_id] for item in wanted}
        try:
            stack.outputs = self._outputs(scope)
        except TemplateError as error:
            stack.tell(f"stack {stack.name}: {error.message}")
            raise StepError("Outputs") from error

    def _roll_back(self, before: Desired, outputs: list[Params]) -> None:
        stack = self._stack
        made, self._steps.created = self._steps.created, []
        stack.unfinished = Unfinished(list(reversed(self._steps.updated)), list(reversed(made)))
        with stack.lock:
            stack.resources = dict(self._before)
            stack.desired, stack.outputs = before, outputs
        self.finish_rollback()

    def finish_rollback(self, skipped: Sequence[str] = ()) -> None:
        """Restore what is not restored yet: the stack becomes UPDATE_ROLLBACK_COMPLETE, or UPDATE_ROLLBACK_FAILED.

        A skipped resource is only said to be as it was.
        """
        stack, left = self._stack, self._stack.unfinished
        for resource, old in left.restore:
            if resource.logical_id in skipped:
                resource.properties = old
                stack.note(resource, "UPDATE_COMPLETE")
        pending = [(resource, old) for resource, old in left.restore if resource.logical_id not in skipped]
        left.restore = [one for one in pending if not self._steps.restore(*one)]
        if left.restore:
            names = ", ".join(resource.logical_id for resource, _ in left.restore)
            stack.move_to("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{names}]. ")
            return
        stack.move_to("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._steps.remove(left.remove)
        stack.unfinished = Unfinished()
        stack.move_to("UPDATE_ROLLBACK_COMPLETE")

    def _outputs(self, scope: Scope) -> list[Params]:
        outputs = []
        for name, definition in self._desired.template.outputs.items():
            condition = definition.get("Condition")
            if condition is None or scope.conditions[condition]:
                output = {"OutputKey": name, "OutputValue": str(scope.resolve(definition["Value"]))}
                if "Description" in definition:
                    output["Description"] = definition["Description"]
                outputs.append(output)
        return outputs

    def _physical_id(self, name: str) -> str:
        return self._stack.resources[name].physical_id

    def _attribute(self, name: str, wanted: str) -> Any:
        return copy.deepcopy(attribute_of(self._stack, name, wanted))
