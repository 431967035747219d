"""Take the endpoint of a stack away for a while, and bring it back with the same model.

The stack stays: CloudFormation deletes only the endpoint and its scaling when the parameter ``Paused`` is set, and
creates them again, with the same model and the same parameters, when it is not. So the stack is the only record,
CloudFormation makes changes one after the other, and each call can be repeated after any interruption.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import explained
from .endpoint_stacks import EndpointStacks, occupied_slots
from .repair import Repair
from .stacks import PAUSED, RUNS

if TYPE_CHECKING:
    from .pipeline import DeployedPipeline
    from .stacks import Stack

# The endpoint is gone when the update ends; the polls are for what is eventually consistent.
_GONE_POLLS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPause:
    """What is true of an endpoint after the command.

    Attributes:
        stack: Its CloudFormation stack.
        paused_at: When it was paused, in ISO 8601; None while it runs.
        model_package_arn: The model package that it serves, or will serve again.
        changed: Whether this command changed it.
        repaired: What somebody had deleted by hand, and this command has created again.
    """

    stack: str
    paused_at: str | None
    model_package_arn: str
    changed: bool
    repaired: tuple[str, ...] = ()


class Pause:
    """Pauses and resumes the endpoints of one pipeline."""

    def __init__(self, pipeline: DeployedPipeline, **options: Any) -> None:
        """Take the pipeline; ``options`` are those of ``EndpointStacks``."""
        self._pipeline = pipeline
        self._stacks = EndpointStacks(pipeline, **options)

    def check(self, name: str) -> Stack:
        """Return a stack that can be paused now, or already is.

        Raises:
            MlopsError: when it does not exist, an execution is deploying it, or an A/B test occupies it.
        """
        stack = self._stacks.changeable(name)
        if len(occupied_slots(stack)) > 1:
            raise MlopsError(
                f"the stack {name} has a challenger beside the champion, and their shares of the traffic would be lost:"
                f" promote it, or remove it with `mlops ab abort {self._pipeline.name}`, and run this again"
            )
        return stack

    def pause(self, name: str) -> EndpointPause:
        """Delete the endpoint of a stack; everything else stays. Raises MlopsError as ``check`` does."""
        stack = self.check(name)
        changed = stack.paused_at is None
        if changed:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            stack = self._stacks.update(stack, PAUSED, now, f"the endpoint of {name} is being deleted")
        self._await_gone(stack)
        return _result(stack, changed=changed)

    def resume(self, name: str) -> EndpointPause:
        """Create the endpoint of a stack again, and what somebody deleted of one that is not paused.

        Raises MlopsError when it does not serve the models of the stack.
        """
        stack = self._stacks.changeable(name)
        repaired: tuple[str, ...] = ()
        changed = stack.paused_at is not None
        if changed:
            stack = self._stacks.update(stack, PAUSED, RUNS, f"the endpoint of {name} is being created")
        else:
            stack, repaired = Repair(self._stacks).run(stack)
        self._check_serving(stack)
        return _result(stack, changed=changed or bool(repaired), repaired=repaired)

    def _await_gone(self, stack: Stack) -> None:
        """CloudFormation calls an update complete even when it could not delete what is no longer in the template."""
        name = stack.parameters["EndpointName"]
        for _ in range(_GONE_POLLS):
            if self._stacks.endpoint(name) is None:
                return
            self._stacks.wait()
        raise MlopsError(
            f"CloudFormation has given up deleting the endpoint {name}, which is still billed; run: aws sagemaker"
            f" delete-endpoint --endpoint-name {name}"
        )

    def _check_serving(self, stack: Stack) -> None:
        name = stack.parameters["EndpointName"]
        endpoint = self._stacks.endpoint(name)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            status = "missing" if endpoint is None else endpoint["EndpointStatus"]
            raise MlopsError(f"the endpoint {name} is {status}, although its stack is {stack.status}: see its events")
        sagemaker = self._pipeline.client("sagemaker")
        with explained(f"the model of the endpoint {name} could not be looked up"):
            config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
            models = [sagemaker.describe_model(ModelName=one["ModelName"]) for one in config["ProductionVariants"]]
        served = [(one["PrimaryContainer"]["Image"], one["PrimaryContainer"]["ModelDataUrl"]) for one in models]
        given = stack.parameters
        wanted = [(given[f"{one}Image"], given[f"{one}ModelDataUrl"]) for one in occupied_slots(stack).values()]
        if served != wanted:
            raise MlopsError(
                f"the endpoint {name} serves {served}, and its stack says {wanted}: somebody changed it by hand; bring"
                " it back to the configuration of its stack"
            )


def _result(stack: Stack, *, changed: bool, repaired: tuple[str, ...] = ()) -> EndpointPause:
    return EndpointPause(
        stack=stack.name,
        paused_at=stack.paused_at,
        model_package_arn=stack.parameters.get("ModelPackageArn", ""),
        changed=changed,
        repaired=repaired,
    )
