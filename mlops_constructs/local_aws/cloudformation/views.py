"""CloudFormation's operations that describe and list stacks and change sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.cloudformation.intrinsics import TemplateError
from mlops_constructs.local_aws.cloudformation.stack import ChangeSet, Stack, described_parameters
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


class StackViews(Service):
    """Stores the stacks by ARN, and describes them."""

    service_name: ClassVar[str] = "cloudformation"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.stacks: dict[str, Stack] = {}

    def live_stack(self, name: str) -> Stack | None:
        """The stack with this name that is not deleted."""
        with self.lock:
            living = (stack for stack in self.stacks.values() if stack.deleted is None)
            return next((stack for stack in living if stack.name == name), None)

    def find_stack(self, name: str) -> Stack | None:
        """A stack by name, or by ARN; by ARN it also finds deleted stacks."""
        with self.lock:
            return self.stacks[name] if name in self.stacks else self.live_stack(name)

    def stack(self, name: str) -> Stack:
        """A stack by name or ARN. Raises ValidationError when there is none."""
        stack = self.find_stack(name)
        if stack is None:
            raise TemplateError(f"Stack with id {name} does not exist")
        return stack

    def change_set(self, params: Params) -> tuple[Stack, ChangeSet]:
        """A change set by its name and stack, or by ARN. Raises ChangeSetNotFound."""
        name = params["ChangeSetName"]
        with self.lock:
            stacks = [self.stack(params["StackName"])] if "StackName" in params else self.stacks.values()
            for stack in stacks:
                for change_set in stack.change_sets.values():
                    if name in (change_set.name, change_set.id):
                        return stack, change_set
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)

    def describe_stacks(self, params: Params) -> Params:
        """One stack, or all that are not deleted."""
        with self.lock:
            if "StackName" in params:
                return {"Stacks": [self.stack(params["StackName"]).described()]}
            living = [stack for stack in self.stacks.values() if stack.deleted is None]
            return {"Stacks": [stack.described() for stack in reversed(living)]}

    def list_stacks(self, params: Params) -> Params:
        """Summaries of all stacks, including deleted ones."""
        wanted = params.get("StackStatusFilter", [])
        with self.lock:
            chosen = [stack for stack in self.stacks.values() if not wanted or stack.status in wanted]
            return {"StackSummaries": [_summary(stack) for stack in reversed(chosen)]}

    def describe_stack_events(self, params: Params) -> Params:
        """The events of a stack, the newest first."""
        stack = self.stack(params["StackName"])
        with stack.lock:
            return {"StackEvents": list(reversed(stack.events))}

    def describe_stack_resources(self, params: Params) -> Params:
        """The resources of a stack, or one of them."""
        stack = self.stack(params["StackName"])
        with stack.lock:
            resources = [
                {
                    **resource.described(),
                    "StackName": stack.name,
                    "StackId": stack.id,
                    "Timestamp": resource.changed,
                }
                for name, resource in stack.resources.items()
                if params.get("LogicalResourceId", name) == name
            ]
        return {"StackResources": resources}

    def list_stack_resources(self, params: Params) -> Params:
        """Summaries of a stack's resources."""
        stack = self.stack(params["StackName"])
        with stack.lock:
            summaries = [
                {**resource.described(), "LastUpdatedTimestamp": resource.changed}
                for resource in stack.resources.values()
            ]
        return {"StackResourceSummaries": summaries}

    def get_template(self, params: Params) -> Params:
        """The template of a stack or a change set."""
        if "ChangeSetName" in params:
            desired = self.change_set(params)[1].desired
        else:
            stack = self.stack(params["StackName"])
            if stack.desired is None:
                return {"TemplateBody": "", "StagesAvailable": []}
            desired = stack.desired
        return {"TemplateBody": desired.template.body, "StagesAvailable": ["Original", "Processed"]}

    def describe_change_set(self, params: Params) -> Params:
        """A change set, with the changes that it would make."""
        stack, change_set = self.change_set(params)
        answer = {
            "ChangeSetName": change_set.name,
            "ChangeSetId": change_set.id,
            "StackName": stack.name,
            "StackId": stack.id,
            "Description": change_set.description,
            "Parameters": described_parameters(change_set.desired),
            "Tags": change_set.desired.tags,
            "CreationTime": change_set.created,
            "ExecutionStatus": change_set.execution_status,
            "Status": change_set.status,
            "StatusReason": change_set.reason,
            "Changes": change_set.changes,
        }
        return {name: value for name, value in answer.items() if value != ""}


def _summary(stack: Stack) -> Params:
    summary = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
    }
    return {name: value for name, value in summary.items() if value}
