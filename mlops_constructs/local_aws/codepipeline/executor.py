"""Starts executions, and runs those that wait for an earlier execution of the pipeline."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codepipeline.gates import Gates
from mlops_constructs.local_aws.codepipeline.runner import FAILED_ACTIONS, Runner
from mlops_constructs.local_aws.codepipeline.state import FINAL, ActionRun, Definition, Execution, Job, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codepipeline.context import Providers

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 0.2


@dataclass
class _Turn:
    execution: Execution
    retry_stage: str | None = None
    retry_mode: str = FAILED_ACTIONS


@dataclass
class _Line:
    """All executions of a pipeline, and the queue of those that wait."""

    executions: list[Execution] = field(default_factory=list)
    waiting: deque[_Turn] = field(default_factory=deque)
    running: bool = False


class Executor:
    """The executions of all pipelines. `changed` guards them and is notified of every change."""

    def __init__(self, account: Account, providers: Providers) -> None:
        self.changed = threading.Condition()
        self.jobs: dict[str, Job] = {}
        self.gates = Gates(self.changed, account.closing)
        self._account = account
        self._lines: dict[str, _Line] = {}
        self._runner = Runner(account, providers, self.gates, self.jobs)

    def executions(self, pipeline_name: str) -> list[Execution]:
        """The executions of a pipeline, oldest first."""
        with self.changed:
            return list(self._line(pipeline_name).executions)

    def start(
        self,
        pipeline: Definition,
        trigger: dict[str, str],
        variables: dict[str, str],
        overrides: list[dict[str, str]],
    ) -> Execution:
        """Start an execution, or queue it behind the one that runs."""
        execution = Execution(pipeline, trigger, variables, overrides)
        superseded: list[_Turn] = []
        with self.changed:
            line = self._line(execution.pipeline_name)
            line.executions.append(execution)
            if execution.mode == "SUPERSEDED":
                superseded = [turn for turn in line.waiting if turn.retry_stage is None]
                line.waiting = deque(turn for turn in line.waiting if turn.retry_stage is not None)
        for turn in superseded:
            reason = f"superseded by {execution.id}"
            self._runner.finish(turn.execution, Status.SUPERSEDED, reason)
        self._schedule(_Turn(execution), at_front=False)
        return execution

    def retry(self, execution: Execution, stage: str, mode: str) -> None:
        """Retry a failed stage, before all executions that wait."""
        with self.changed:
            execution.status, execution.summary = Status.IN_PROGRESS, None
            execution.stopping = execution.abandoned = False
            execution.stop_reason = None
        self._schedule(_Turn(execution, stage, mode), at_front=True)

    def stop(self, execution: Execution, *, abandon: bool, reason: str) -> None:
        """Stop after the actions in progress, or with `abandon` without waiting for them."""
        with self.changed:
            line = self._line(execution.pipeline_name)
            waits = [turn for turn in line.waiting if turn.execution is execution]
            for turn in waits:
                line.waiting.remove(turn)
            execution.stopping, execution.stop_reason = True, reason
            execution.abandoned = execution.abandoned or abandon
            if not waits and execution.status not in FINAL:
                execution.status = Status.STOPPING
            self.changed.notify_all()
        if waits:
            self._runner.finish(execution, Status.STOPPED, reason)
        else:
            self._runner.announce_stopping(execution)

    def forget(self, pipeline_name: str) -> None:
        """Drop a deleted pipeline and abandon its running executions."""
        with self.changed:
            line = self._lines.pop(pipeline_name, _Line())
            self.gates.forget(pipeline_name)
            line.waiting.clear()
            for execution in line.executions:
                execution.stopping = execution.abandoned = execution.status not in FINAL
            self.changed.notify_all()

    def wait_while(self, holds: Callable[[], bool]) -> None:
        """Wait, with `changed` locked by the caller, while a condition on the state holds."""
        while holds() and not self._account.closing.is_set():
            self.changed.wait(_CHECK_SECONDS)

    def report(self, job_id: str, settle: Callable[[Job], None]) -> bool:
        """Call `settle` to write the result of a job; False when the job is unknown or already has a result."""
        with self.changed:
            job = self.jobs.get(job_id)
            if job is None or job.is_done():
                return False
            settle(job)
            self.changed.notify_all()
        return True

    def only_waits(self) -> bool:
        """Whether every execution that has not ended waits: for its turn, a transition, or an approver."""
        with self.changed:
            return all(self._waits(one) for line in self._lines.values() for one in _unfinished(line))

    def resume(self) -> None:
        """Continue the executions that waited in another process: an approval is asked for once more."""
        for line in self._lines.values():
            line.running = False
            for execution in reversed(_unfinished(line)):
                if execution.status is Status.STOPPING:
                    self._runner.finish(execution, Status.STOPPED, execution.stop_reason)
                    continue
                for run in _in_progress(execution):
                    run.status, run.error_message = Status.ABANDONED, "the local AWS was ended, and resumed"
                self._schedule(_Turn(execution, _next_stage(execution), FAILED_ACTIONS), at_front=True)
            if line.waiting and not line.running:
                self._schedule(line.waiting.popleft(), at_front=True)

    def _waits(self, execution: Execution) -> bool:
        running = _in_progress(execution)
        if running:
            return all(run.approval is not None and run.approval.status is None for run in running)
        return (execution.pipeline_name, _next_stage(execution)) in self.gates.closed

    def _line(self, pipeline_name: str) -> _Line:
        return self._lines.setdefault(pipeline_name, _Line())

    def _schedule(self, turn: _Turn, *, at_front: bool) -> None:
        name = turn.execution.pipeline_name
        if turn.execution.mode == "PARALLEL":
            self._account.spawn(f"pipeline-{name}", lambda: self._run(turn))
            return
        with self.changed:
            line = self._line(name)
            (line.waiting.appendleft if at_front else line.waiting.append)(turn)
            if line.running:
                self._account.log(f"pipeline {name} {turn.execution.id[:8]}: waits for its turn")
                return
            line.running = True
        self._account.spawn(f"pipeline-{name}", lambda: self._run_line(line))

    def _run_line(self, line: _Line) -> None:
        while True:
            with self.changed:
                if not line.waiting or self._account.closing.is_set():
                    line.running = False
                    return
                turn = line.waiting.popleft()
            self._run(turn)

    def _run(self, turn: _Turn) -> None:
        try:
            self._runner.run(turn.execution, turn.retry_stage, turn.retry_mode)
        except Exception as error:
            if self._account.closing.is_set():
                return
            logger.exception("execution %s", turn.execution.id)
            reason = f"internal error of the local AWS, please report it: {type(error).__name__}: {error}"
            self._runner.finish(turn.execution, Status.FAILED, reason)


def _unfinished(line: _Line) -> list[Execution]:
    """Return the executions that have begun and not ended."""
    waiting = [turn.execution for turn in line.waiting]
    return [one for one in line.executions if one.status not in FINAL and not any(one is other for other in waiting)]


def _in_progress(execution: Execution) -> list[ActionRun]:
    return [
        run for stage in execution.stages.values() for run in stage.actions.values() if run.status is Status.IN_PROGRESS
    ]


def _next_stage(execution: Execution) -> str:
    """Return the first stage that has not succeeded."""
    names = [str(stage["name"]) for stage in execution.pipeline["stages"]]
    done = [name for name, run in execution.stages.items() if run.status is Status.SUCCEEDED]
    return next((name for name in names if name not in done), names[-1])
