"""Take the endpoint of a stack away for a while, and bring it back with the same model.

The stack stays: CloudFormation deletes only the endpoint and its scaling when the parameter ``Paused`` is set, and
creates them again, with the same model and the same parameters, when it is not. So the stack is the only record,
CloudFormation makes changes one after the other, and each call can be repeated after any interruption.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .endpoints import absence
from .stacks import PAUSED, RUNS, find_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pipeline import DeployedPipeline
    from .stacks import Stack

_POLL_SECONDS = 5.0
_CAN_BE_UPDATED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
# The endpoint is gone when the update ends; the polls are for what is eventually consistent.
_GONE_POLLS = 24
# Of a stack with two slots, each has its own parameters.
_SLOTS, _PREFIXES, _BOTH = "Slots", {"primary": "Primary", "secondary": "Secondary"}, "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPause:
    """What is true of an endpoint after the command.

    Attributes:
        stack: Its CloudFormation stack.
        paused_at: When it was paused, in ISO 8601; None while it runs.
        model_package_arn: The model package that it serves, or will serve again.
        changed: Whether this command changed it.
    """

    stack: str
    paused_at: str | None
    model_package_arn: str
    changed: bool


class Pause:
    """Pauses and resumes the endpoints of one pipeline."""

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
        self._pipeline, self._client = pipeline, pipeline.client
        self._tell, self._pause, self._poll_seconds = tell, pause, poll_seconds

    def check(self, name: str) -> Stack:
        """Return a stack that can be paused or resumed now, or already is.

        Raises:
            MlopsError: when it does not exist, an execution is deploying it, or an A/B test occupies it.
        """
        self._refuse_deployment(name)
        stack = self._settled(name)
        if PAUSED not in stack.parameters:
            raise MlopsError(
                f"the stack {name} was deployed by an older version of the library, whose endpoints cannot be paused:"
                " release a model first"
            )
        if stack.parameters.get(_SLOTS) == _BOTH:
            raise MlopsError(
                f"the stack {name} has a challenger beside the champion, and their shares of the traffic would be lost:"
                f" promote it, or remove it with `mlops ab abort {self._pipeline.name}`, and run this again"
            )
        if stack.status not in _CAN_BE_UPDATED:
            raise MlopsError(f"the stack {name} is {stack.status}, so it cannot be changed: see its events")
        return stack

    def pause(self, name: str) -> EndpointPause:
        """Delete the endpoint of a stack; everything else stays. Raises MlopsError as ``check`` does."""
        stack = self.check(name)
        changed = stack.paused_at is None
        if changed:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            stack = self._update(stack, now, f"the endpoint of {name} is being deleted")
        self._await_gone(stack)
        return _result(stack, changed=changed)

    def resume(self, name: str) -> EndpointPause:
        """Create the endpoint of a stack again. Raises MlopsError when it does not serve the model of the stack."""
        stack = self.check(name)
        changed = stack.paused_at is not None
        if changed:
            stack = self._update(stack, RUNS, f"the endpoint of {name} is being created")
        self._check_serving(stack)
        return _result(stack, changed=changed)

    def _refuse_deployment(self, name: str) -> None:
        """Refuse while an execution is in a stage that deploys the stack."""
        deploying = {
            stage["name"]
            for stage in self._pipeline.definition["stages"]
            if name in [one.get("configuration", {}).get("StackName") for one in stage["actions"]]
        }
        with explained(f"the state of {self._pipeline.name} could not be looked up"):
            state = self._client("codepipeline").get_pipeline_state(name=self._pipeline.name)
        for stage in state["stageStates"]:
            latest = stage.get("latestExecution", {})
            if stage["stageName"] in deploying and latest.get("status") in ("InProgress", "Stopping"):
                raise MlopsError(
                    f"execution {latest['pipelineExecutionId']} is in {stage['stageName']} and deploys {name}: wait"
                    " until it has ended, or stop it, and run this again"
                )

    def _settled(self, name: str) -> Stack:
        """Wait until a stack is not being changed, such as by a command that was interrupted."""
        stack = find_stack(self._client, name)
        while stack is not None and stack.changes:
            self._tell(f"the stack {name} is {stack.status}")
            self._pause(self._poll_seconds)
            stack = find_stack(self._client, name)
        if stack is None:
            raise MlopsError(absence(self._pipeline, name))
        return stack

    def _update(self, stack: Stack, paused: str, saying: str) -> Stack:
        parameters = [{"ParameterKey": name, "UsePreviousValue": True} for name in stack.parameters if name != PAUSED]
        role = {"RoleARN": stack.role_arn} if stack.role_arn else {}
        with explained(f"the stack {stack.name} could not be changed"):
            self._client("cloudformation").update_stack(
                StackName=stack.id,
                UsePreviousTemplate=True,
                Parameters=[*parameters, {"ParameterKey": PAUSED, "ParameterValue": paused}],
                **role,
            )
        self._tell(saying)
        after = self._settled(stack.id)
        if after.parameters.get(PAUSED) != paused:
            raise MlopsError(
                f"the stack {stack.name} is {after.status}, and its endpoint is as it was before:"
                f" {after.reason or 'CloudFormation gives no reason'}; see its events"
            )
        return after

    def _await_gone(self, stack: Stack) -> None:
        """CloudFormation calls an update complete even when it could not delete what is no longer in the template."""
        name = stack.parameters["EndpointName"]
        for _ in range(_GONE_POLLS):
            if self._endpoint(name) is None:
                return
            self._pause(self._poll_seconds)
        raise MlopsError(
            f"CloudFormation has given up deleting the endpoint {name}, which is still billed; run: aws sagemaker"
            f" delete-endpoint --endpoint-name {name}"
        )

    def _check_serving(self, stack: Stack) -> None:
        name = stack.parameters["EndpointName"]
        endpoint = self._endpoint(name)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            status = "missing" if endpoint is None else endpoint["EndpointStatus"]
            raise MlopsError(f"the endpoint {name} is {status}, although its stack is {stack.status}: see its events")
        sagemaker = self._client("sagemaker")
        with explained(f"the model of the endpoint {name} could not be looked up"):
            config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
            models = [sagemaker.describe_model(ModelName=one["ModelName"]) for one in config["ProductionVariants"]]
        served = [(one["PrimaryContainer"]["Image"], one["PrimaryContainer"]["ModelDataUrl"]) for one in models]
        prefix = _PREFIXES.get(stack.parameters.get(_SLOTS, ""), "")
        wanted = (stack.parameters[f"{prefix}Image"], stack.parameters[f"{prefix}ModelDataUrl"])
        if served != [wanted]:
            raise MlopsError(f"the endpoint {name} serves {served}, and its stack says {wanted}: somebody changed it")

    def _endpoint(self, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        with explained(f"the endpoint {name} could not be looked up"):
            try:
                found: dict[str, Any] = self._client("sagemaker").describe_endpoint(EndpointName=name)
            except ClientError as error:
                if code_of(error) == "ValidationException" and "not find" in str(error):
                    return None
                raise
        return found


def _result(stack: Stack, *, changed: bool) -> EndpointPause:
    return EndpointPause(
        stack=stack.name,
        paused_at=stack.paused_at,
        model_package_arn=stack.parameters.get("ModelPackageArn", ""),
        changed=changed,
    )
