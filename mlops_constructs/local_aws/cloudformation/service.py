"""CloudFormation's operations on stacks and change sets, for the resource types in `_PROVIDERS`."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.cloudformation.intrinsics import TemplateError
from mlops_constructs.local_aws.cloudformation.launcher import StackLauncher
from mlops_constructs.local_aws.cloudformation.plan import Place, Providers, plan_changes
from mlops_constructs.local_aws.cloudformation.rollbacks import continue_rollback, roll_back
from mlops_constructs.local_aws.cloudformation.sagemaker_resources import (
    EndpointConfigProvider,
    EndpointProvider,
    ModelProvider,
)
from mlops_constructs.local_aws.cloudformation.scaling_resources import (
    AlarmProvider,
    ScalableTargetProvider,
    ScalingPolicyProvider,
)
from mlops_constructs.local_aws.cloudformation.stack import CAN_BE_UPDATED, ChangeSet, Desired, Stack
from mlops_constructs.local_aws.cloudformation.template import Template
from mlops_constructs.local_aws.cloudformation.views import StackViews
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudformation.providers import Provider

_PROVIDERS: tuple[type[Provider], ...] = (
    ModelProvider,
    EndpointConfigProvider,
    EndpointProvider,
    ScalableTargetProvider,
    ScalingPolicyProvider,
    AlarmProvider,
)
_STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class CloudFormationService(StackViews):
    """Creates, updates and deletes stacks, in threads of their own."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._providers: Providers = {provider.type: provider() for provider in _PROVIDERS}
        self._place = Place(account.account_id, account.partition, account.region, account.dns_suffix)
        self._launcher = StackLauncher(account, self._providers, self._place)

    def create_stack(self, params: Params) -> Params:
        """Create a stack in the background."""
        with self.lock:
            name = params["StackName"]
            existing = self.live_stack(name)
            if existing is not None:
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
            stack = self._new_stack(name)
            desired = self._desired(params, None)
            self._plan(stack, desired)
            self.stacks[stack.id] = stack
            self._launcher.create(stack, desired, roll_back=_rolls_back(params))
        return {"StackId": stack.id}

    def update_stack(self, params: Params) -> Params:
        """Update a stack in the background. Raises ValidationError when there is nothing to update."""
        with self.lock:
            stack = self.stack(params["StackName"])
            self._check_updatable(stack)
            desired = self._desired(params, stack.current)
            if not self._plan(stack, desired) and not _outputs_differ(stack, desired):
                raise TemplateError("No updates are to be performed.")
            self._launcher.update(stack, desired)
        return {"StackId": stack.id}

    def delete_stack(self, params: Params) -> Params:
        """Delete a stack in the background; it is not an error when the stack does not exist."""
        with self.lock:
            stack = self.find_stack(params["StackName"])
            if stack is None or stack.deleted is not None or stack.status == "DELETE_IN_PROGRESS":
                return {}
            if stack.in_progress:
                raise TemplateError(f"Stack:{stack.id} is in {stack.status} state and can not be deleted.")
            if stack.desired is None:
                stack.deleted = utc_now()
                stack.move_to("DELETE_COMPLETE")
                return {}
            _give_up(stack, params)
            self._launcher.delete(stack, stack.desired, params.get("RoleARN", stack.desired.role_arn))
        return {}

    def continue_update_rollback(self, params: Params) -> Params:
        """Go on with a rollback that has failed, in the background."""
        with self.lock:
            continue_rollback(self.stack(params["StackName"]), params, self._launcher)
        return {}

    def rollback_stack(self, params: Params) -> Params:
        """Roll back an update whose rollback was disabled, in the background."""
        with self.lock:
            stack = self.stack(params["StackName"])
            roll_back(stack, params, self._launcher)
        return {"StackId": stack.id}

    def create_change_set(self, params: Params) -> Params:
        """Compare the desired state with the present one. A change set without changes is FAILED, with the reason."""
        with self.lock:
            stack = self._stack_to_change(params)
            name, creates = params["ChangeSetName"], params.get("ChangeSetType", "UPDATE") == "CREATE"
            if name in stack.change_sets:
                raise AwsError("AlreadyExistsException", f"ChangeSet {name} already exists")
            desired = self._desired(params, stack.desired)
            changes = self._plan(stack, desired)
            changed = creates or bool(changes) or _outputs_differ(stack, desired)
            self.stacks[stack.id] = stack
            if creates and not stack.status:
                stack.move_to("REVIEW_IN_PROGRESS", "User Initiated")
            change_set = ChangeSet(
                name=name,
                id=self._arn(f"changeSet/{name}/{uuid.uuid4()}"),
                type="CREATE" if creates else "UPDATE",
                desired=desired,
                changes=changes,
                description=params.get("Description", ""),
                created=utc_now(),
                status="CREATE_COMPLETE" if changed else "FAILED",
                reason="" if changed else _NO_CHANGES,
            )
            stack.change_sets[name] = change_set
        return {"Id": change_set.id, "StackId": stack.id}

    def execute_change_set(self, params: Params) -> Params:
        """Execute a change set in the background. All change sets of the stack are deleted."""
        with self.lock:
            stack, change_set = self.change_set(params)
            if change_set.execution_status != "AVAILABLE" or stack.in_progress:
                raise AwsError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{change_set.id}] cannot be executed in its current status of "
                    f"[{change_set.status}], with the stack in {stack.status}",
                )
            stack.change_sets.clear()
            if change_set.type == "CREATE":
                self._launcher.create(stack, change_set.desired, roll_back=_rolls_back(params))
            else:
                self._launcher.update(stack, change_set.desired)
        return {}

    def delete_change_set(self, params: Params) -> Params:
        """Delete a change set; it is not an error when the change set does not exist."""
        with self.lock:
            try:
                stack, change_set = self.change_set(params)
            except AwsError as error:
                if error.code != "ChangeSetNotFound":
                    raise
            else:
                del stack.change_sets[change_set.name]
        return {}

    def _stack_to_change(self, params: Params) -> Stack:
        name = params["StackName"]
        if params.get("ChangeSetType", "UPDATE") != "CREATE":
            stack = self.stack(name)
            self._check_updatable(stack)
            return stack
        existing = self.live_stack(name)
        if existing is None:
            return self._new_stack(name)
        if existing.status != "REVIEW_IN_PROGRESS":
            raise TemplateError(
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{params['ChangeSetName']}]."
            )
        return existing

    def _new_stack(self, name: str) -> Stack:
        if not _STACK_NAME.fullmatch(name):
            raise TemplateError(f"Value '{name}' at 'stackName' must match [a-zA-Z][-a-zA-Z0-9]*")
        arn = self._arn(f"stack/{name}/{uuid.uuid4()}")
        return Stack(name, arn, utc_now(), self._tell, self.account.emit)

    def _tell(self, message: str) -> None:
        if not self.account.closing.is_set():
            self.account.log(message)

    def _check_updatable(self, stack: Stack) -> None:
        if stack.status not in CAN_BE_UPDATED:
            raise TemplateError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    def _desired(self, params: Params, before: Desired | None) -> Desired:
        if "TemplateBody" in params:
            template = Template.parse(params["TemplateBody"], self._providers)
        elif params.get("UsePreviousTemplate") and before is not None:
            template = before.template
        else:
            raise TemplateError("the local AWS supports TemplateBody, not TemplateURL")
        previous = before.parameters if before is not None else None
        values = template.parameter_values(params.get("Parameters", []), previous)
        tags = params.get("Tags", before.tags if before is not None else [])
        role_arn = params.get("RoleARN", before.role_arn if before is not None else None)
        if role_arn is not None:
            self._launcher.credentials(role_arn)
        return Desired(template, values, tags, role_arn)

    def _plan(self, stack: Stack, desired: Desired) -> list[Params]:
        return plan_changes(stack, desired, self._providers, self._place)

    def _arn(self, resource: str) -> str:
        return self.account.arn("cloudformation", resource)


def _give_up(stack: Stack, params: Params) -> None:
    """Retain the resources that could not be deleted, as a forced deletion does, or those that the caller names.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """
    forced, named = params.get("DeletionMode") == "FORCE_DELETE_STACK", set(params.get("RetainResources", []))
    if not forced and not named:
        return
    if stack.status != "DELETE_FAILED":
        raise TemplateError(
            f"Stack:{stack.id} is in {stack.status} state: only DELETE_FAILED stacks can retain resources"
        )
    for resource in stack.resources.values():
        if resource.logical_id in named or (forced and resource.status == "DELETE_FAILED"):
            resource.retained = True


def _rolls_back(params: Params) -> bool:
    return not params.get("DisableRollback") and params.get("OnFailure", "ROLLBACK") != "DO_NOTHING"


def _outputs_differ(stack: Stack, desired: Desired) -> bool:
    return stack.desired is not None and desired.template.outputs != stack.desired.template.outputs
