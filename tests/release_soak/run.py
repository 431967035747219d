"""One run: steps, and after each of them everything is checked; in the end, a release succeeds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from soaks import check

from mlops_constructs.deployed.overview import Overview
from mlops_constructs.errors import MlopsError
from mlops_constructs.local_aws.faults.errors import FaultError
from release_soak import rest
from release_soak.hands import HANDS
from release_soak.invariants import check_all
from release_soak.mending import mend
from release_soak.steps import (
    AGAIN,
    APPROVE,
    DECIDE,
    HAND,
    INTERRUPT,
    RELEASE,
    RETRY,
    ROLLBACK,
    SLOW,
    STOP,
    WAIT,
    Step,
)
from release_soak.world import World

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from mlops_constructs.local_aws.codepipeline.state import Execution
    from mlops_constructs.local_aws.faults.fault import Fault
    from release_soak.site import Site

_ACTION = "CodePipeline Action Execution State Change"
_PACKAGE = ":model-package/"
_TRAINING = "SageMaker Training Job State Change"


class Run:
    """A run.

    Attributes:
        world: Its world.
        told: What has happened, for people.
        steps: How many steps it has done.
        calm: Whether nothing has gone wrong since the last release that succeeded.
    """

    def __init__(self, site: Site, fired: Counter[str]) -> None:
        """Begin; ``fired`` counts the faults that happen."""
        self.site, self.fired = site, fired
        self.world = World(site)
        self.told: list[str] = []
        self.steps = 0
        self.calm = True
        self._stop_at: tuple[str, bool] | None = None
        self._verbs: dict[str, Callable[[Step], str]] = {
            RELEASE: self._release,
            DECIDE: self._decide,
            STOP: self._stop,
            INTERRUPT: self._interrupt,
            RETRY: self._retry,
            ROLLBACK: self._rollback,
            AGAIN: self._again,
            HAND: self._hand,
        }
        self._current: Run | None = self
        site.aws.account.subscribe(self._note)

    def play(self, steps: Sequence[Step]) -> None:
        """Do all steps, then come to a good end."""
        try:
            for step in steps:
                self.do(step)
            self.end()
        finally:
            self.close()

    def do(self, step: Step) -> None:
        """Do one step, and check."""
        self.told.append(repr(step))
        self.steps += 1
        began, world = time.monotonic(), self.world
        must_succeed = self.calm and step == Step() and not rest.executions(self.site.aws)
        fault = self._injected(step.fault)
        outcome = self._verbs[step.what](step)
        self.rest()
        if fault is not None:
            self.calm = False
            if fault.fired:
                self.fired[step.fault.partition(":")[0]] += 1
            outcome += f"; {fault.firings[0].what}" if fault.fired else "; the fault has not happened"
            world.touched |= {word for firing in fault.firings for word in firing.what.split() if _PACKAGE in word}
            self._over(step.fault)
        before, world.facts = world.facts, world.look()
        self.told.append(f"   -> {outcome} ({time.monotonic() - began:.1f} s)")
        self.told += [f"      {one.id[:8]} {one.status} {one.reason}" for one in world.facts.ran[-3:]]
        check_all(world, before, world.facts)
        if must_succeed:
            newest = world.facts.ran[-1]
            check(newest.status == "Succeeded", f"nothing went wrong, and the release fails: {newest.reason}")

    def _injected(self, text: str) -> Fault | None:
        try:
            return self.site.inject(text) if text else None
        except FaultError as error:
            self.told.append(f"   {error}")
            return None

    def _over(self, text: str) -> None:
        """Let a fault be over: what a person or AWS puts right by itself is right again."""
        site, kind = self.site, text.partition(":")[0]
        site.faults.clear()
        if kind == "quota":
            site.aws.service_quotas.set(text.split(":")[1], 100)
        if kind == "key":
            site.enable_key()
            self.rest()
            self.world.forgive()
        if "_IN_PROGRESS" in text:
            site.end_update()
        self.rest()

    def waiting(self) -> list[Execution]:
        """Return the executions that wait for a person."""
        return rest.waiting(self.site.aws)

    def reset(self) -> None:
        """Make a good beginning for the next run, after one that has failed."""
        self.close()
        self.site.reset()

    def end(self) -> None:
        """Let what goes wrong be over; then a release succeeds, if need be after the command that a failure names."""
        self.told.append("the end")
        for name, undo in self.world.undos.items():
            undo()
            self.told.append(f"   taken back: {name}")
        self._reject_all()
        if self.world.gave_up:
            self.site.stop_jobs()
        if not self.calm or self._unrecorded():
            mend(self)
        self.site.restore_records()

    def _unrecorded(self) -> bool:
        """Whether production runs what was stopped before it was recorded, which the next run would not know."""
        facts = self.world.look()
        newest = facts.records[0] if facts.records else {}
        if facts.package == newest.get("model_package_arn", ""):
            return False
        told = Overview.of(self.site.deployed).unrecorded
        check(told or not facts.package, f"mlops status does not say that {facts.package} is off record")
        return True

    def close(self) -> None:
        """Note no more."""
        self._current = None

    def rest(self) -> None:
        """Wait until nothing happens by itself: I8, whatever has begun comes to an end."""
        check(self.site.settle(), f"something never ends: {self.site.aws.account.working()[0]}")

    def release(self, says: str, then: str, prefix: str = "m") -> str:
        """Upload a data set, and answer its approval."""
        model = f"{prefix}{len(self.site.uploads)}"
        version = self.site.upload(model, says)
        self.world.versions.append(version)
        self.rest()
        return f"{model} is {version}" + self.decide(then)

    def decide(self, then: str) -> str:
        """Answer the approval that waits."""
        if then == WAIT:
            return ""
        answered = [one.id for one in rest.waiting(self.site.aws)]
        if then == APPROVE:
            self.world.approved |= set(answered)
        self.site.answer(approve=then == APPROVE)
        self.rest()
        return f"; {then}: {[one[:8] for one in answered]}"

    def _release(self, step: Step) -> str:
        return self.release(step.says, step.then)

    def _decide(self, step: Step) -> str:
        return self.decide(step.then)

    def _stop(self, step: Step) -> str:
        executions = rest.executions(self.site.aws)
        if not executions:
            return "nothing is there to stop"
        one = executions[step.number % len(executions)]
        self._stop_it(one.id, step.whole)
        return f"{one.id[:8]} was stopped"

    def _stop_it(self, execution: str, at_once: bool) -> None:
        try:
            self.site.deployed.executions.stop(execution, "a test", abandon=at_once)
        except MlopsError as error:
            self.told.append(f"   {error}")

    def _interrupt(self, step: Step) -> str:
        """Upload, and stop the execution when an action of it begins, or while it trains."""
        slow = step.thing == SLOW
        self._stop_at = step.thing, slow or step.whole
        try:
            return self.release(step.says, step.then, "slow" if slow else "m")
        finally:
            self._stop_at = None

    def _note(self, event: dict[str, Any]) -> None:
        if self._current is None:
            return
        self.world.note(event)
        execution, stop_at = self._begun(event), self._stop_at
        if execution and stop_at is not None:
            self._stop_at = None
            self.site.aws.account.spawn("lambda-person", lambda: self._stop_it(execution, stop_at[1]))

    def _begun(self, event: dict[str, Any]) -> str:
        """Return the execution in which that has begun at which it is to be stopped."""
        kind, detail, name = event["detail-type"], event["detail"], self.site.name
        if self._stop_at is None:
            return ""
        if kind == _ACTION and (detail["pipeline"], detail["action"], detail["state"]) == (
            name,
            self._stop_at[0],
            "STARTED",
        ):
            return str(detail["execution-id"])
        trains = kind == _TRAINING and detail["SecondaryStatus"] == "Training" and self._stop_at[0] == SLOW
        newest = rest.executions(self.site.aws) if trains else []
        return next((one.id for one in newest if one.id.replace("-", "")[:12] in detail["TrainingJobName"]), "")

    def _retry(self, step: Step) -> str:
        """Retry the newest execution that can be retried."""
        over = [one for one in reversed(self.world.facts.ran) if one.status in ("Failed", "Stopped")]
        for one in over[:1]:
            failed = [action for action in one.seen.actions if action.status in ("Failed", "Abandoned")]
            for action in (failed or list(one.seen.actions))[-1:]:
                mode = "ALL_ACTIONS" if step.whole else "FAILED_ACTIONS"
                said = self.site.retry(one.id, action.stage, mode)
                self.rest()
                return f"{one.id[:8]} retries {action.stage} ({mode}) {said}" + self.decide(step.then)
        return "nothing is there to retry"

    def _rollback(self, step: Step) -> str:
        """Deploy an earlier release again."""
        records = [one for one in self.world.facts.records if one.get("steps")]
        if not records:
            return "nothing was released"
        number = int(records[step.number % len(records)]["release"])
        try:
            _, execution = self.site.releases().deploy_again(number)
        except MlopsError as error:
            return f"release {number}: {error}"
        self.world.rollbacks.add(execution)
        self.rest()
        return f"release {number} again by {execution[:8]}" + self.decide(step.then)

    def _again(self, step: Step) -> str:
        """Let EventBridge deliver an event once more, however late."""
        events = self.site.events
        if not events:
            return "no event was delivered"
        event = events[-1 - step.number % len(events)]
        self.site.aws.events.emit(dict(event))
        self.rest()
        detail = event["detail"]
        return f"again: {event['detail-type']} {detail.get('action', '')} {detail.get('state', '')}" + self.decide(
            step.then
        )

    def _hand(self, step: Step) -> str:
        undo = HANDS[step.thing](self.world)
        self.calm = False
        self.fired[f"by hand: {step.thing}"] += 1
        if undo is not None:
            self.world.undos.setdefault(step.thing, undo)
        return step.thing

    def _reject_all(self) -> None:
        while rest.executions(self.site.aws):
            self.rest()
            if not rest.waiting(self.site.aws):
                break
            self.told.append(f"   rejected{self.decide('reject')}")
        self.rest()
