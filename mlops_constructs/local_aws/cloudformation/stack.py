"""The state of a stack: its resources, events and change sets."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlops_constructs.local_aws.cloudformation.template import Template
    from mlops_constructs.local_aws.service import Params

STACK_TYPE = "AWS::CloudFormation::Stack"

CAN_BE_UPDATED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})


@dataclass
class Resource:
    """A resource of a stack; it may be deleted already."""

    logical_id: str
    type: str
    properties: Params
    retained: bool = False
    physical_id: str = ""
    attributes: Params = field(default_factory=dict)
    status: str = ""
    reason: str = ""
    changed: datetime = field(default_factory=utc_now)

    def described(self) -> Params:
        """A StackResource."""
        answer: Params = {
            "LogicalResourceId": self.logical_id,
            "ResourceType": self.type,
            "ResourceStatus": self.status,
            "PhysicalResourceId": self.physical_id,
        }
        if self.reason:
            answer["ResourceStatusReason"] = self.reason
        return answer


@dataclass
class Desired:
    """The desired state of a stack."""

    template: Template
    parameters: dict[str, str]
    tags: list[Params]
    role_arn: str | None


@dataclass
class ChangeSet:
    """A change set, with the changes that it would make."""

    name: str
    id: str
    type: str
    desired: Desired
    changes: list[Params]
    description: str
    created: datetime
    status: str
    reason: str = ""

    @property
    def execution_status(self) -> str:
        """ExecutionStatus."""
        return "AVAILABLE" if self.status == "CREATE_COMPLETE" else "UNAVAILABLE"


@dataclass
class Unfinished:
    """What an update rollback that failed has left.

    Attributes:
        restore: The resources that could not be restored, with their old properties.
        remove: The resources that the failed update had created.
    """

    restore: list[tuple[Resource, Params]] = field(default_factory=list)
    remove: list[Resource] = field(default_factory=list)


@dataclass
class Stack:
    """A stack. `move_to` and `note` change a status and add its event together, under the stack's lock."""

    name: str
    id: str
    created: datetime
    tell: Callable[[str], None]
    emit: Callable[[Params], object]
    desired: Desired | None = None
    status: str = ""
    reason: str = ""
    updated: datetime | None = None
    deleted: datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[Params] = field(default_factory=list)
    events: list[Params] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    unfinished: Unfinished = field(default_factory=Unfinished)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def in_progress(self) -> bool:
        """Whether an operation is in progress."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def current(self) -> Desired:
        """The template and parameters of the last operation. Raises ValueError for a stack in review."""
        if self.desired is None:
            raise ValueError(f"stack {self.name} has no template yet")
        return self.desired

    def move_to(self, status: str, reason: str = "") -> None:
        """Change the stack's status and add its event."""
        with self.lock:
            self.status, self.reason = status, reason
            self._add_event(self.name, STACK_TYPE, self.id, status, reason)
        self.tell(f"stack {self.name}: {status}" + (f" ({reason})" if reason else ""))
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html
        detail = {"stack-id": self.id, "status-details": {"status": status, "status-reason": reason}}
        self.emit(
            {
                "source": "aws.cloudformation",
                "detail-type": "CloudFormation Stack Status Change",
                "resources": [self.id],
                "detail": {**detail, "client-request-token": ""},
            }
        )

    def note(self, resource: Resource, status: str, reason: str = "") -> None:
        """Change a resource's status and add its event."""
        with self.lock:
            resource.status, resource.reason = status, reason
            resource.changed = utc_now()
            self._add_event(
                resource.logical_id, resource.type, resource.physical_id, status, reason, resource.properties
            )
        if reason and status.endswith("_FAILED"):
            self.tell(f"stack {self.name}: {resource.logical_id} {status}: {reason}")

    def _add_event(
        self,
        logical_id: str,
        resource_type: str,
        physical_id: str,
        status: str,
        reason: str,
        properties: Params | None = None,
    ) -> None:
        event: Params = {
            "StackId": self.id,
            "EventId": str(uuid.uuid4()),
            "StackName": self.name,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": resource_type,
            "Timestamp": utc_now(),
            "ResourceStatus": status,
        }
        if reason:
            event["ResourceStatusReason"] = reason
        if properties is not None:
            event["ResourceProperties"] = json.dumps(properties)
        self.events.append(event)

    def described(self) -> Params:
        """The stack in DescribeStacks."""
        answer: Params = {
            "StackId": self.id,
            "StackName": self.name,
            "CreationTime": self.created,
            "StackStatus": self.status,
            "DisableRollback": False,
            "NotificationARNs": [],
            "Capabilities": [],
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
        optional = {
            "StackStatusReason": self.reason,
            "LastUpdatedTime": self.updated,
            "DeletionTime": self.deleted,
            "Outputs": self.outputs,
        }
        if self.desired is not None:
            optional["Description"] = self.desired.template.description
            optional["RoleARN"] = self.desired.role_arn
            optional["Parameters"] = described_parameters(self.desired)
            optional["Tags"] = self.desired.tags
        return {**answer, **{name: value for name, value in optional.items() if value}}


def described_parameters(desired: Desired) -> list[Params]:
    """The parameter values; the values of NoEcho parameters are masked."""
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if _is_secret(desired.template.parameters[name]) else value,
        }
        for name, value in sorted(desired.parameters.items())
    ]


def _is_secret(definition: Params) -> bool:
    return str(definition.get("NoEcho", "false")).lower() == "true"
