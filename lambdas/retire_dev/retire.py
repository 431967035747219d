"""Whose DEV endpoint it is decides whether it is deleted, never which event came, nor how often or how late.

An execution never updates the endpoint of another one: it waits until that stack is deleted, and creates its own. A
stack is deleted by its ID, which the next stack of the same name does not have. So what is late can only delete a stack
that was to be deleted anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs, tokens
from handler_kit.errors import StepError, error_code
from handler_kit.executions import Execution, History
from handler_kit.production import DELETE_AGAIN, Stack, find_stack
from handler_kit.report import Continue, Success
from handler_kit.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable

    from retire_dev.settings import Params, Settings

# An endpoint is deleted within minutes, after its creation has ended.
MAX_WAIT_SECONDS = 2 * 3600
APPROVAL = ("Approve", "Approve")
_POLL_SECONDS, _MAX_POLLS = 15, 52
_DELETING, _FAILED = "DELETE_IN_PROGRESS", "DELETE_FAILED"
_RUNNING = frozenset({"InProgress", "Stopping"})


def await_dev(
    params: Params, settings: Settings, cloudformation: Any, token_text: str | None, *, now: int
) -> Success | Continue:
    """Delete what another execution has left in DEV, and wait until it is gone.

    Raises StepError when it cannot be deleted; the message has the command that fixes it.
    """
    name = settings.dev_stack
    latest_deadline = now + MAX_WAIT_SECONDS
    token = Token(name, latest_deadline)
    if token_text is not None:
        token = tokens.decode(token_text, is_ours=lambda awaits: awaits == name, latest_deadline=latest_deadline)
    stack = find_stack(cloudformation, name)
    if stack is None:
        return Success(summary=f"Stack {name} is free")
    if stack.status != _DELETING and _owner(stack) == params.execution_id:
        return Success(summary=f"Stack {name} is this execution's own", external_id=stack.id)
    if token_text is not None and stack.status == _FAILED:
        raise StepError(
            f"Stack {name} is {_FAILED}, so DEV cannot be deployed. See its events, run:"
            f" {DELETE_AGAIN.format(stack=name)}; then retry the stage with all its actions.",
            external_id=stack.id,
        )
    if not _changes(stack):
        _delete(stack, settings, cloudformation)
    if now >= token.deadline:
        raise StepError(
            f"Stack {name} is still {stack.status} after {MAX_WAIT_SECONDS // 3600} h. See its events, and retry the"
            " stage with all its actions when it is deleted."
        )
    whose = _owner(stack) or "an execution that is not known"
    return Continue(token, summary=f"DEV of {whose} is being deleted", external_id=stack.id)


def retire(
    event: dict[str, Any], settings: Settings, codepipeline: Any, cloudformation: Any, *, pause: Callable[[float], None]
) -> None:
    """Delete the DEV endpoint unless its execution still needs it; while its stack changes, wait.

    Raises ValueError when the event is not this pipeline's, and TimeoutError when the stack does not stop changing;
    Lambda then delivers the event again.
    """
    decided = _decided(event, settings)
    for _ in range(_MAX_POLLS):
        stack = find_stack(cloudformation, settings.dev_stack)
        if stack is None or stack.status == _DELETING:
            logs.info("the DEV endpoint is deleted", stack=settings.dev_stack)
            return
        owner = _owner(stack)
        if owner != decided and _needs(owner, settings, codepipeline):
            logs.info("the DEV endpoint is needed", execution_id=owner)
            return
        if not _changes(stack):
            _delete(stack, settings, cloudformation)
            return
        pause(_POLL_SECONDS)
    raise TimeoutError(
        f"Stack {settings.dev_stack} is still changing after {_MAX_POLLS * _POLL_SECONDS // 60} minutes. Lambda tries"
        " again; the end of the next execution deletes it too."
    )


def _decided(event: dict[str, Any], settings: Settings) -> str | None:
    """The execution whose approval the event reports; a decision is never taken back."""
    detail = event.get("detail")
    if not isinstance(detail, dict) or detail.get("pipeline") != settings.pipeline:
        raise ValueError(f"The event is not about the pipeline {settings.pipeline}. Check the rule's event pattern.")
    approves = (detail.get("stage"), detail.get("action")) == APPROVAL and detail.get("state") == "SUCCEEDED"
    return str(detail.get("execution-id")) if approves else None


def _needs(execution_id: str, settings: Settings, codepipeline: Any) -> bool:
    """Whether an execution runs and is not approved yet; a stage that is retried runs again."""
    if not execution_id:
        return False
    try:
        status = Execution(codepipeline, settings.pipeline, execution_id).status()
    except ClientError as error:
        # CodePipeline forgets executions after a year; a stack of before has no execution.
        if error_code(error) not in ("PipelineExecutionNotFoundException", "ValidationException"):
            raise
        return False
    if status not in _RUNNING:
        return False
    history = History.read(codepipeline, settings.pipeline, execution_id)
    return history.newest(*APPROVAL, "Succeeded") is None


def _owner(stack: Stack) -> str:
    return stack.parameters.get("ExecutionId", "")


def _changes(stack: Stack) -> bool:
    return stack.status.endswith("_IN_PROGRESS") and not stack.status.startswith("REVIEW_")


def _delete(stack: Stack, settings: Settings, cloudformation: Any) -> None:
    cloudformation.delete_stack(StackName=stack.id, RoleARN=settings.deploy_role_arn)
    logs.info("deleting the DEV endpoint", stack=stack.id, execution_id=_owner(stack), status=stack.status)
