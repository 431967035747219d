"""Creating, updating and deleting a stack, with everything put back when a step fails."""

from __future__ import annotations

import copy
import secrets
import string
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.cloudformation.intrinsics import Scope, TemplateError
from mlops_constructs.local_aws.cloudformation.plan import (
    Place,
    Providers,
    attribute_of,
    desired_properties,
    make_scope,
)
from mlops_constructs.local_aws.cloudformation.providers import Context, Provider, ResourceFailure, changed_names
from mlops_constructs.local_aws.cloudformation.request import PropertyError
from mlops_constructs.local_aws.cloudformation.stack import Desired, Resource, Stack
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from mlops_constructs.local_aws.cloudformation.template import ResourceDefinition

_FAILURES = (ResourceFailure, PropertyError, ClientError, BotoCoreError, AwsError)
_NOT_FOUND_WORDS = ("not find", "not found", "No scal", "does not exist")
_ALPHABET = string.ascii_letters + string.digits


class StepFailure(Exception):
    """A resource could not be brought to where it should be."""

    def __init__(self, logical_id: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id


class StackOperation:
    """One operation on one stack, in the thread that calls it."""

    def __init__(
        self,
        stack: Stack,
        desired: Desired,
        client: Callable[[str], Any],
        providers: Providers,
        place: Place,
        closing: threading.Event,
    ) -> None:
        self._stack = stack
        self._desired = desired
        self._client = client
        self._providers = providers
        self._place = place
        self._closing = closing
        self._before: dict[str, Resource] = {}
        self._created: list[Resource] = []
        self._retired: list[Resource] = []
        self._updated: list[tuple[Resource, Params]] = []

    def create(self, *, roll_back: bool) -> None:
        """To CREATE_COMPLETE, or to ROLLBACK_COMPLETE when a resource fails."""
        stack = self._stack
        try:
            self._apply()
        except StepFailure as failure:
            reason = f"The following resource(s) failed to create: [{failure.logical_id}]. "
            if not roll_back:
                stack.move_to("CREATE_FAILED", reason)
                return
            stack.move_to("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
            clean = self._remove(list(reversed(stack.resources.values())))
            stack.move_to("ROLLBACK_COMPLETE" if clean else "ROLLBACK_FAILED")
            return
        stack.move_to("CREATE_COMPLETE")

    def update(self) -> None:
        """To UPDATE_COMPLETE, or to UPDATE_ROLLBACK_COMPLETE with the old properties put back."""
        stack = self._stack
        before = stack.current
        self._before = dict(stack.resources)
        outputs = stack.outputs
        try:
            self._apply()
        except StepFailure as failure:
            reason = f"The following resource(s) failed to update: [{failure.logical_id}]. "
            stack.move_to("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            self._roll_back(before, outputs)
            return
        stack.move_to("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [item for name, item in self._before.items() if name not in stack.resources]
        self._remove([*reversed(self._retired), *reversed(gone)])
        stack.move_to("UPDATE_COMPLETE")

    def delete(self) -> None:
        """To DELETE_COMPLETE, or DELETE_FAILED with what is left."""
        stack = self._stack
        if self._remove(list(reversed(stack.resources.values()))):
            stack.deleted = datetime.now(timezone.utc)
            stack.move_to("DELETE_COMPLETE")
        else:
            left = [name for name, item in stack.resources.items() if item.status == "DELETE_FAILED"]
            stack.move_to("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}]. ")

    def _apply(self) -> None:
        """Bring every resource of the desired template to its desired properties, and set the outputs."""
        stack, desired = self._stack, self._desired
        stack.desired = desired
        scope = make_scope(stack, desired, self._place, self._physical_id, self._attribute)
        wanted = desired.template.ordered(scope.conditions)
        for definition in wanted:
            self._bring(definition, scope)
        with stack.lock:  # kept in order of dependency: deletion goes backwards through it
            stack.resources = {item.logical_id: stack.resources[item.logical_id] for item in wanted}
        try:
            stack.outputs = self._outputs(scope)
        except TemplateError as error:
            stack.tell(f"stack {stack.name}: {error.message}")
            raise StepFailure("Outputs") from error

    def _bring(self, definition: ResourceDefinition, scope: Scope) -> None:
        provider = self._providers[definition.type]
        existing = self._stack.resources.get(definition.logical_id)
        fresh = Resource(definition.logical_id, definition.type, {}, definition.retained)
        try:
            properties = desired_properties(definition, scope, self._desired, provider)
        except TemplateError as error:
            self._stack.note(fresh, "CREATE_FAILED", error.message)
            raise StepFailure(definition.logical_id) from error
        if existing is None:
            self._stack.note(fresh, "CREATE_IN_PROGRESS")
            self._make(provider, fresh, properties, "CREATE")
        elif provider.needs_replacement(existing.properties, properties):
            self._replace(provider, existing, fresh, properties)
        elif changed_names(existing.properties, properties):
            self._change(provider, existing, properties)
        else:
            existing.retained = definition.retained

    def _make(self, provider: Provider, resource: Resource, properties: Params, verb: str) -> None:
        stack = self._stack
        resource.properties = properties
        context = self._context(provider, resource.logical_id)
        try:
            created = provider.create(context, properties)
            resource.physical_id, resource.attributes = created.physical_id, created.attributes
            with stack.lock:
                stack.resources[resource.logical_id] = resource
                self._created.append(resource)
            stack.note(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
            provider.stabilize(context, created, properties)
        except _FAILURES as error:
            stack.resources.setdefault(resource.logical_id, resource)
            self._fail(resource, f"{verb}_FAILED", error)
        stack.note(resource, f"{verb}_COMPLETE")

    def _replace(self, provider: Provider, old: Resource, fresh: Resource, properties: Params) -> None:
        name = provider.name_property
        if name is not None and name in properties and properties[name] == old.properties.get(name):
            reason = (
                f"CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[name]} and update the stack again."
            )
            self._fail(old, "UPDATE_FAILED", ResourceFailure(reason))
        fresh.physical_id = old.physical_id
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        self._stack.note(fresh, "UPDATE_IN_PROGRESS", reason)
        self._make(provider, fresh, properties, "UPDATE")
        self._retired.append(old)

    def _change(self, provider: Provider, resource: Resource, properties: Params) -> None:
        old = resource.properties
        self._updated.append((resource, old))
        self._stack.note(resource, "UPDATE_IN_PROGRESS")
        try:
            context = self._context(provider, resource.logical_id)
            provider.update(context, resource.physical_id, old, properties)
        except _FAILURES as error:
            self._fail(resource, "UPDATE_FAILED", error)
        resource.properties = properties
        self._stack.note(resource, "UPDATE_COMPLETE")

    def _roll_back(self, before: Desired, outputs: list[Params]) -> None:
        stack = self._stack
        made, self._created = self._created, []
        clean = all([self._restore(resource, old) for resource, old in reversed(self._updated)])
        with stack.lock:
            stack.resources = dict(self._before)
            stack.desired, stack.outputs = before, outputs
        if not clean:
            stack.move_to("UPDATE_ROLLBACK_FAILED", "The old properties could not be put back")
            return
        stack.move_to("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._remove(list(reversed(made)))
        stack.move_to("UPDATE_ROLLBACK_COMPLETE")

    def _restore(self, resource: Resource, old: Params) -> bool:
        stack = self._stack
        provider = self._providers[resource.type]
        stack.note(resource, "UPDATE_IN_PROGRESS")
        attempted = resource.properties
        resource.properties = old
        try:
            context = self._context(provider, resource.logical_id)
            provider.update(context, resource.physical_id, attempted, old)
        except _FAILURES as error:
            stack.note(resource, "UPDATE_FAILED", _reason(error))
            return False
        stack.note(resource, "UPDATE_COMPLETE")
        return True

    def _remove(self, resources: list[Resource]) -> bool:
        """Delete resources in this order; what fails is told in the events, and the rest is still deleted."""
        clean = True
        for resource in resources:
            if not resource.physical_id or resource.status == "DELETE_COMPLETE":
                continue
            if resource.retained:
                self._stack.note(resource, "DELETE_SKIPPED")
                continue
            self._stack.note(resource, "DELETE_IN_PROGRESS")
            provider = self._providers[resource.type]
            try:
                context = self._context(provider, resource.logical_id)
                provider.delete(context, resource.physical_id, resource.attributes)
            except _FAILURES as error:
                if not _is_gone(error):
                    clean = False
                    self._stack.note(resource, "DELETE_FAILED", _reason(error))
                    continue
            self._stack.note(resource, "DELETE_COMPLETE")
        return clean

    def _fail(self, resource: Resource, status: str, error: Exception) -> None:
        self._stack.note(resource, status, _reason(error))
        raise StepFailure(resource.logical_id) from error

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

    def _context(self, provider: Provider, logical_id: str) -> Context:
        tail = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        start = f"{self._stack.name}-{logical_id}"[: provider.maximum_name_length - len(tail) - 1]
        return Context(self._client, f"{start.rstrip('-')}-{tail}", self._closing)

    def _physical_id(self, name: str) -> str:
        return self._stack.resources[name].physical_id

    def _attribute(self, name: str, wanted: str) -> Any:
        return copy.deepcopy(attribute_of(self._stack, name, wanted))


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        told = error.response["Error"]
        return f'Resource handler returned message: "{told["Message"]}" (HandlerErrorCode: {told["Code"]})'
    return f'Resource handler returned message: "{error}"'


def _is_gone(error: Exception) -> bool:
    return isinstance(error, ClientError) and any(
        word in error.response["Error"]["Message"] for word in _NOT_FOUND_WORDS
    )
