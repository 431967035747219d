"""One endpoint's stack: looked up when nothing else changes it, and changed in one parameter."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .endpoints import absence
from .stacks import PAUSED, find_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pipeline import DeployedPipeline
    from .stacks import Stack

_POLL_SECONDS = 5.0
_CAN_BE_UPDATED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
# Of a stack with two slots, each has its own parameters.
_SLOTS, _PREFIXES, _BOTH = "Slots", {"primary": "Primary", "secondary": "Secondary"}, "both"


class EndpointStacks:
    """The stacks of one pipeline's endpoints, as commands change them: one at a time, each call repeatable."""

    def __init__(
        self,
        pipeline: DeployedPipeline,
        *,
        tell: Callable[[str], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        """Take the pipeline.

        Args:
            pipeline: The pipeline.
            tell: Called with a sentence on what is waited for.
            pause: Waits between polls.
            poll_seconds: How long it waits, in seconds.
        """
        self.pipeline, self.client = pipeline, pipeline.client
        self._tell, self._pause, self._poll_seconds = tell, pause, poll_seconds

    def changeable(self, name: str) -> Stack:
        """Return a stack that can be changed now.

        Raises:
            MlopsError: when it does not exist, an execution is deploying it, or its last update has failed.
        """
        self._refuse_deployment(name)
        stack = self.settled(name)
        if PAUSED not in stack.parameters:
            raise MlopsError(
                f"the stack {name} was deployed by an older version of the library, whose endpoints cannot be paused:"
                " release a model first"
            )
        if stack.status not in _CAN_BE_UPDATED:
            raise MlopsError(f"the stack {name} is {stack.status}, so it cannot be changed: see its events")
        return stack

    def _refuse_deployment(self, name: str) -> None:
        """Refuse while an execution is in a stage that deploys the stack."""
        deploying = {
            stage["name"]
            for stage in self.pipeline.definition["stages"]
            if name in [one.get("configuration", {}).get("StackName") for one in stage["actions"]]
        }
        with explained(f"the state of {self.pipeline.name} could not be looked up"):
            state = self.client("codepipeline").get_pipeline_state(name=self.pipeline.name)
        for stage in state["stageStates"]:
            latest = stage.get("latestExecution", {})
            if stage["stageName"] in deploying and latest.get("status") in ("InProgress", "Stopping"):
                raise MlopsError(
                    f"execution {latest['pipelineExecutionId']} is in {stage['stageName']} and deploys {name}: wait"
                    " until it has ended, or stop it, and run this again"
                )

    def settled(self, name: str) -> Stack:
        """Wait until a stack is not being changed, such as by a command that was interrupted."""
        stack = find_stack(self.client, name)
        while stack is not None and stack.changes:
            self._tell(f"the stack {name} is {stack.status}")
            self._pause(self._poll_seconds)
            stack = find_stack(self.client, name)
        if stack is None:
            raise MlopsError(absence(self.pipeline, name))
        return stack

    def update(self, stack: Stack, parameter: str, value: str, saying: str) -> Stack:
        """Change one parameter, and wait. Raises MlopsError when CloudFormation rolled the change back."""
        others = [{"ParameterKey": name, "UsePreviousValue": True} for name in stack.parameters if name != parameter]
        role = {"RoleARN": stack.role_arn} if stack.role_arn else {}
        with explained(f"the stack {stack.name} could not be changed"):
            self.client("cloudformation").update_stack(
                StackName=stack.id,
                UsePreviousTemplate=True,
                Parameters=[*others, {"ParameterKey": parameter, "ParameterValue": value}],
                **role,
            )
        self._tell(saying)
        after = self.settled(stack.id)
        if after.parameters.get(parameter) != value:
            raise MlopsError(
                f"the stack {stack.name} is {after.status}, and its endpoint is as it was before:"
                f" {after.reason or 'CloudFormation gives no reason'}; see its events"
            )
        return after

    def wait(self) -> None:
        """Wait until the next poll."""
        self._pause(self._poll_seconds)

    def endpoint(self, name: str) -> dict[str, Any] | None:
        """Look up an endpoint; None when it does not exist."""
        from botocore.exceptions import ClientError

        with explained(f"the endpoint {name} could not be looked up"):
            try:
                found: dict[str, Any] = self.client("sagemaker").describe_endpoint(EndpointName=name)
            except ClientError as error:
                if code_of(error) == "ValidationException" and "not find" in str(error):
                    return None
                raise
        return found


def occupied_slots(stack: Stack) -> dict[str, str]:
    """Return the variants of a stack, each with the prefix of its parameters."""
    occupied = stack.parameters.get(_SLOTS)
    if occupied is None:
        return {"primary": ""}
    return _PREFIXES if occupied == _BOTH else {occupied: _PREFIXES[occupied]}
