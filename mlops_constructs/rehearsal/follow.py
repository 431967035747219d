"""Follow an execution of a pipeline as a script on AWS would, and show its progress."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.deployed.executions import Executions
from mlops_constructs.errors import MlopsError, RehearsalError
from mlops_constructs.rehearsal.progress import Update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlops_constructs.deployed.clients import Clients
    from mlops_constructs.deployed.executions import ActionExecution, Execution
    from mlops_constructs.rehearsal.progress import State, Watcher

# Short, because the local AWS is on this machine.
_POLL_SECONDS = 0.25
_ENDED = "ApprovalAlreadyCompletedException"
_STATES: dict[str, State] = {"Succeeded": "succeeded", "Failed": "failed", "Abandoned": "failed"}


class Follower:
    """Follows executions of one pipeline."""

    def __init__(self, client: Clients, pipeline: str, watcher: Watcher, pause: Callable[[float], None]) -> None:
        """Follow ``pipeline``; ``pause`` waits between polls and raises when the rehearsal is to end."""
        self.executions = Executions(client, pipeline)
        self._watcher, self._pause = watcher, pause
        self._shown: dict[str, tuple[str, str]] = {}
        self._answered: set[str] = set()

    def wait_for_start(self, known: set[str], timeout_seconds: float) -> str:
        """Wait for an execution that is not ``known``; return its id.

        Raises:
            RehearsalError: when none starts in time.
        """
        started = self.executions.wait_for_start(known, timeout_seconds, pause=self._pause, poll_seconds=_POLL_SECONDS)
        if started is None:
            pipeline = self.executions.pipeline
            raise RehearsalError(
                f"no execution of pipeline {pipeline} started within {timeout_seconds:.0f} s: does the upload fit the"
                " prefix and the suffix of its Dataset? --verbose shows what the local AWS does"
            )
        return started

    def follow(self, execution_id: str) -> Execution:
        """Show each change of an action, answer the approval, and return the final state."""
        for execution in self.executions.follow(execution_id, pause=self._pause, poll_seconds=_POLL_SECONDS):
            self._show(execution.actions)
            self._answer_approvals(execution.actions)
        return execution

    def _show(self, actions: Sequence[ActionExecution]) -> None:
        for action in actions:
            if self._shown.get(action.action_execution_id) == (action.status, action.summary):
                continue
            self._shown[action.action_execution_id] = (action.status, action.summary)
            self._watcher.update(
                Update(
                    group=f"Pipeline {self.executions.pipeline}",
                    name=f"{action.stage} / {action.name}",
                    state=_STATES.get(action.status, "waiting" if action.is_approval else "running"),
                    detail=action.summary,
                    seconds=action.seconds,
                )
            )

    def _answer_approvals(self, actions: Sequence[ActionExecution]) -> None:
        for action in actions:
            if not action.waits or action.action_execution_id in self._answered:
                continue
            token = self.executions.approval_token(action)
            if token is None:
                continue
            self._answered.add(action.action_execution_id)
            approved = self._watcher.decide(action.evidence)
            summary = f"{'approved' if approved else 'rejected'} in a rehearsal"
            with _too_late():
                self.executions.answer(action, token, approved=approved, summary=summary)


@contextmanager
def _too_late() -> Iterator[None]:
    """Let an answer to an approval that has ended be without effect: how the execution goes on says the rest."""
    try:
        yield
    except MlopsError as error:
        cause = error.__cause__
        if not isinstance(cause, ClientError) or cause.response["Error"]["Code"] != _ENDED:
            raise


def must_succeed(outcome: Execution) -> None:
    """Raise RehearsalError with the reason, unless an execution has succeeded."""
    if outcome.status != "Succeeded":
        raise RehearsalError(
            f"pipeline {outcome.pipeline}, execution {outcome.execution_id}: {outcome.status}.\n"
            f"{outcome.reason or 'No action gives a reason.'}"
        )
