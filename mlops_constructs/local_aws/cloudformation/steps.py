"""The steps of an operation: each creates, updates, restores or deletes one resource."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.cloudformation.intrinsics import Scope, TemplateError
from mlops_constructs.local_aws.cloudformation.plan import Providers, desired_properties
from mlops_constructs.local_aws.cloudformation.providers import Context, Provider, ResourceError, changed_names
from mlops_constructs.local_aws.cloudformation.request import PropertyError
from mlops_constructs.local_aws.cloudformation.stack import Desired, Resource, Stack
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    import threading

    from mlops_constructs.local_aws.cloudformation.stack_role import StackRole
    from mlops_constructs.local_aws.cloudformation.template import ResourceDefinition

_FAILURES = (DeniedError, ResourceError, PropertyError, ClientError, BotoCoreError, AwsError)
_NOT_FOUND_WORDS = ("not find", "not found", "No scal", "does not exist")
_ALPHABET = string.ascii_letters + string.digits


class StepError(Exception):
    """A resource could not be created or updated."""

    def __init__(self, logical_id: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id


class ResourceSteps:
    """Changes the resources of one stack, and records what a rollback needs.

    Attributes:
        created: The created resources, oldest first.
        retired: The replaced resources, which still exist.
        updated: The changed resources, with their old properties.
    """

    def __init__(self, stack: Stack, role: StackRole, providers: Providers, closing: threading.Event) -> None:
        self.created: list[Resource] = []
        self.retired: list[Resource] = []
        self.updated: list[tuple[Resource, Params]] = []
        self._stack = stack
        self._role = role
        self._providers = providers
        self._closing = closing

    def bring(self, definition: ResourceDefinition, scope: Scope, desired: Desired) -> None:
        """Create, replace or update a resource as the template requires. Raises `StepError`."""
        provider = self._providers[definition.type]
        existing = self._stack.resources.get(definition.logical_id)
        fresh = Resource(definition.logical_id, definition.type, {}, definition.retained)
        try:
            properties = desired_properties(definition, scope, desired, provider)
        except TemplateError as error:
            self._stack.note(fresh, "CREATE_FAILED", error.message)
            raise StepError(definition.logical_id) from error
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
            self._role.check(resource.type, "create", _name(provider, context, properties), properties)
            created = provider.create(context, properties)
            resource.physical_id, resource.attributes = created.physical_id, created.attributes
            with stack.lock:
                stack.resources[resource.logical_id] = resource
                self.created.append(resource)
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
            self._fail(old, "UPDATE_FAILED", ResourceError(reason))
        fresh.physical_id = old.physical_id
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        self._stack.note(fresh, "UPDATE_IN_PROGRESS", reason)
        self._make(provider, fresh, properties, "UPDATE")
        self.retired.append(old)

    def _change(self, provider: Provider, resource: Resource, properties: Params) -> None:
        old = resource.properties
        self.updated.append((resource, old))
        self._stack.note(resource, "UPDATE_IN_PROGRESS")
        try:
            context = self._context(provider, resource.logical_id)
            self._role.check(resource.type, "update", resource.physical_id, properties)
            provider.update(context, resource.physical_id, old, properties)
        except _FAILURES as error:
            self._fail(resource, "UPDATE_FAILED", error)
        resource.properties = properties
        self._stack.note(resource, "UPDATE_COMPLETE")

    def restore(self, resource: Resource, old: Params) -> bool:
        """Restore the old properties of a changed resource; return whether that succeeded."""
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

    def remove(self, resources: list[Resource]) -> bool:
        """Delete resources in this order; a failure is recorded as an event, and the others are still deleted."""
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
                self._role.check(resource.type, "delete", resource.physical_id, resource.properties)
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
        raise StepError(resource.logical_id) from error

    def _context(self, provider: Provider, logical_id: str) -> Context:
        tail = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        start = f"{self._stack.name}-{logical_id}"[: provider.maximum_name_length - len(tail) - 1]
        return Context(self._role.client, f"{start.rstrip('-')}-{tail}", self._closing)


def _name(provider: Provider, context: Context, properties: Params) -> str:
    """The physical name that a new resource gets."""
    given = properties.get(provider.name_property) if provider.name_property else None
    return str(given or context.generated_name)


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        details = error.response["Error"]
        return f'Resource handler returned message: "{details["Message"]}" (HandlerErrorCode: {details["Code"]})'
    code = " (HandlerErrorCode: AccessDenied)" if isinstance(error, DeniedError) else ""
    return f'Resource handler returned message: "{error}"{code}'


def _is_gone(error: Exception) -> bool:
    return isinstance(error, ClientError) and any(
        word in error.response["Error"]["Message"] for word in _NOT_FOUND_WORDS
    )
