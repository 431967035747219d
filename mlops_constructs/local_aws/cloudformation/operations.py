"""Creates, updates and deletes a stack; rolls back when a resource fails."""

from __future__ import annotations

import copy
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.cloudformation.intrinsics import Scope, TemplateError
from mlops_constructs.local_aws.cloudformation.plan import (
    Place,
    Providers,
    attribute_of,
    make_scope,
)
from mlops_constructs.local_aws.cloudformation.steps import ResourceSteps, StepError

if TYPE_CHECKING:
    import threading

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

    def roll_back(self, skipped: set[str]) -> None:
        """Restore what could not be restored: the stack becomes UPDATE_ROLLBACK_COMPLETE, or UPDATE_ROLLBACK_FAILED."""
        stack = self._stack
        failed = [one for one in stack.resources.values() if one.status == "UPDATE_FAILED"]
        for resource in failed:
            if resource.logical_id in skipped:
                stack.note(resource, "UPDATE_COMPLETE", "Resource update was skipped")
        left = [one for one in failed if one.logical_id not in skipped]
        if not all([self._steps.restore(one, one.properties) for one in left]):
            stack.move_to("UPDATE_ROLLBACK_FAILED", "The old properties could not be restored")
            return
        stack.move_to("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        stack.move_to("UPDATE_ROLLBACK_COMPLETE")

    def delete(self) -> None:
        """Delete the stack: it becomes DELETE_COMPLETE, or DELETE_FAILED with the names of the remaining resources."""
        stack = self._stack
        if self._steps.remove(list(reversed(stack.resources.values()))):
            stack.deleted = datetime.now(timezone.utc)
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
        clean = all([self._steps.restore(resource, old) for resource, old in reversed(self._steps.updated)])
        with stack.lock:
            stack.resources = dict(self._before)
            stack.desired, stack.outputs = before, outputs
        if not clean:
            stack.move_to("UPDATE_ROLLBACK_FAILED", "The old properties could not be restored")
            return
        stack.move_to("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._steps.remove(list(reversed(made)))
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
