"""One run: steps, and after each of them everything is checked."""

from __future__ import annotations

import contextlib
import io
import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ab_soak import invariants
from ab_soak.account import SICK
from ab_soak.calls import OVERTAKEN, Process
from ab_soak.edits import by_hand
from ab_soak.ending import end_well
from ab_soak.execution import FAILED, IN_PROGRESS, SUCCEEDED
from ab_soak.invariants import explained, unchanged
from ab_soak.pipeline import FLEETS, Outcome
from ab_soak.steps import CALM, GOOD, HANG, RESTART, RETRY, Step
from ab_soak.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ab_soak.account import Account
    from ab_soak.execution import Execution
    from ab_soak.steps import Trouble

_SICK_SECONDS, _HEALTHY_SECONDS = 0.8, 60.0
_MORE_THAN_AN_INTENT_SECONDS = 1000.0
_REFUSALS = ("by hand", "nothing was changed", "no record says")


class Run:
    """A run.

    Attributes:
        world: Its world.
        told: What has happened, for people.
    """

    def __init__(self, account: Account, name: str) -> None:
        """Prepare a run."""
        self.account, self.world = account, World(account, name)
        self.pipeline = self.world.pipeline
        self.told: list[str] = []
        self._verbs: dict[str, Callable[[Step], Outcome | None]] = {
            "release": self._release,
            "rollback": self._rollback,
            "promote": self._promote,
            "clean": self._clean,
            "shift": self._command,
            "abort": self._command,
            "guard": self._command,
            "status": self._command,
            "resume": self._resume,
            "wait": self._wait,
            "edit": self._edit,
        }

    def play(self, steps: Sequence[Step]) -> None:
        """Do all steps, then end everything well."""
        with contextlib.redirect_stdout(io.StringIO()):
            for step in (Step("release"), *steps):
                self.do(step)
            end_well(self)

    def do(self, step: Step) -> Outcome | None:
        """Do one step, and check."""
        self.told.append(str(step))
        began = time.monotonic()
        self.world.command_done = False
        fault = step.trouble.fault
        self.world.was_disturbed |= fault is not None and fault.mode != OVERTAKEN
        outcome = self._verbs[step.what](step)
        self._quiet()
        self.told.append(f"   -> {outcome} ({time.monotonic() - began:.1f} s)")
        if outcome is not None and not outcome.done and not outcome.killed and step.trouble == CALM:
            explained(outcome.said)
        if outcome is not None and outcome.done and step.what in ("release", "rollback", "promote", "clean", "shift"):
            self.world.weighed_by_hand = False
        calm = step.trouble == CALM and step.what in ("shift", "abort", "guard")
        self.world.command_done = calm and outcome is not None and outcome.done
        invariants.check_all(self.world)
        return outcome

    def _release(self, step: Step) -> Outcome:
        good = step.model == GOOD
        model = self.pipeline.next_model() if good else self.account.bad[step.model]
        self.account.endpoints.health_seconds = _SICK_SECONDS if step.model == SICK else _HEALTHY_SECONDS
        return self._drive(self.pipeline.start(model, FLEETS[step.fleet]), step)

    def _rollback(self, step: Step) -> Outcome | None:
        releases = self.pipeline.stage.releases()
        if not releases:
            return None
        number = str(1 + step.number % len(releases))
        package = releases[int(number) - 1]["model_package_arn"]
        before = next(one for one in self.pipeline.executions if one.model.package == package)
        return self._drive(self.pipeline.start(before.model, before.fleet, number), step)

    def _promote(self, step: Step) -> Outcome:
        return self._command_and_execution(step, lambda: self.pipeline.tests.promote("because it is a test"))

    def _clean(self, step: Step) -> Outcome:
        def abort() -> None:
            self.pipeline.tests.abort("because it is a test")
            self.pipeline.tests.clean_up()

        return self._command_and_execution(step, abort)

    def _command_and_execution(self, step: Step, command: Callable[[], object]) -> Outcome:
        """Run a command that starts an execution; trouble is the execution's if there is one."""
        before = len(self.pipeline.executions)
        outcome = self._tried(lambda: self.pipeline.command(command, Process()))
        if len(self.pipeline.executions) == before:
            return outcome
        return self._drive(self.pipeline.executions[-1], step)

    def _command(self, step: Step) -> Outcome:
        return self._tried(lambda: self._plain_command(step)) if step.trouble == CALM else self._plain_command(step)

    def _plain_command(self, step: Step) -> Outcome:
        tests = self.pipeline.tests
        commands: dict[str, Callable[[], object]] = {
            "shift": lambda: tests.shift((step.number or 50) / 100),
            "abort": lambda: tests.abort("because it is a test"),
            "guard": self.pipeline.guard,
            "status": self._status,
        }
        return self.pipeline.command(commands[step.what], self._process(step.trouble))

    def _status(self) -> None:
        from mlops_constructs.deployed.ab_status import status_of

        status_of(self.pipeline.tests)

    def _tried(self, run: Callable[[], Outcome]) -> Outcome:
        """Run a command; what it says that it has not changed, it has not."""
        before = self.world.facts()
        outcome = run()
        if not outcome.done and "nothing was changed" in outcome.said:
            unchanged(before, self.world.facts(), outcome.said)
        return outcome

    def _resume(self, step: Step) -> Outcome | None:
        """Retry the newest execution that was in the stage, if it has not succeeded."""
        newest = next((one for one in reversed(self.pipeline.executions) if one.done or one.reason), None)
        if newest is None or newest.status == SUCCEEDED:
            return None
        if step.number:
            newest.done = 0
        return self._drive(newest, step)

    def _wait(self, step: Step) -> None:
        """Wait until the intent of a crashed command has expired."""
        self.account.clock.advance(_MORE_THAN_AN_INTENT_SECONDS)

    def _edit(self, step: Step) -> Outcome | None:
        """Edit by hand; if what is tried then is refused, nothing has changed, and the edit is undone."""
        if not self.world.endpoint() or self.world.record().intent is not None:
            return None
        try:
            with by_hand(self.world, step.edit) as undo:
                pass
        except ClientError as error:
            return Outcome(done=False, said=f"AWS refuses it: {error}")
        if undo is None:
            return None
        before = self.world.facts()
        outcome = self._verbs[step.probe](Step(step.probe, number=30))
        self._quiet()
        if outcome is not None and not outcome.done:
            explained(outcome.said)
            if any(words in outcome.said for words in _REFUSALS):
                unchanged(before, self.world.facts(), outcome.said)
        if step.probe not in ("release", "promote") or self.world.facts() == before:
            with self.account.calls.process(None):
                undo()
        elif outcome is not None and outcome.done:
            self.world.weighed_by_hand = False
        return outcome

    def _drive(self, execution: Execution, step: Step) -> Outcome:
        """Drive an execution, through its trouble."""
        if step.alarm:
            self._set_alarm("ALARM")
        outcome = self.pipeline.drive(execution, self._process(step.trouble))
        if outcome.killed:
            if step.trouble.then in (RETRY, RESTART):
                execution.done = 0 if step.trouble.then == RESTART else execution.done
                outcome = self.pipeline.drive(execution, Process())
            else:
                execution.status = IN_PROGRESS if step.trouble.then == HANG else FAILED
                execution.reason = "its action was killed"
        return outcome

    def _process(self, trouble: Trouble) -> Process:
        return Process(trouble.fault, others=lambda: self._overtake(trouble.others))

    def _overtake(self, what: str) -> None:
        """Let somebody else do something, completely."""
        step = Step(what, number=40)
        outcome = self._release(step) if what == "release" else self._plain_command(step)
        self.told.append(f"   meanwhile: {what} -> {outcome}")
        if not outcome.done:
            explained(outcome.said)

    def _quiet(self) -> None:
        """Wait until AWS is at rest, and let all alarms be OK."""
        self.account.endpoints.health_seconds = _HEALTHY_SECONDS
        self.world.settle()
        self._set_alarm("OK")

    def _set_alarm(self, state: str) -> None:
        client, name = self.account.client("cloudwatch"), f"{self.pipeline.production}-secondary-server-errors"
        for alarm in client.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            if alarm["StateValue"] != state:
                client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
