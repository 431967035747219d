"""The promotion: the challenger gets all requests and is watched; then it becomes the champion, in one write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from handler_kit.ab_record import ABORTED, PROMOTED, Deployed, Record
from handler_kit.errors import StepError
from place_variants.production import Production, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from place_variants.observed import Endpoint

# An instance count that no quota allows.
_NO_LIMIT = 10_000


@dataclass(frozen=True)
class Promotion:
    """The promotion of a pipeline execution. Each call looks at everything again.

    Attributes:
        production: The endpoint.
        execution_id: The execution.
        bake_seconds: How long the challenger's alarms are watched while it has all requests.
    """

    production: Production
    execution_id: str
    bake_seconds: int

    def advance(self, record: Record, endpoint: Endpoint, now: float) -> Record | Wait:
        """Do the next thing; return the record once the challenger is the champion.

        Raises StepError when an alarm goes off; the champion has all requests again then.
        """
        champion, challenger = record.champion, record.challenger
        assert champion is not None
        assert challenger is not None
        instances = min(endpoint.counts[champion.slot], _most(challenger))
        if endpoint.counts[challenger.slot] < instances:
            self.production.scale(challenger.slot, instances)
            return Wait(f"the challenger gets {instances} instances")
        wanted = {champion.slot: 0.0, challenger.slot: 1.0}
        if not endpoint.has(wanted):
            self.production.shift(wanted)
            return Wait("the challenger gets all requests")
        alarms = self.production.alarms()
        if alarms:
            self._give_up(alarms, now)
        return self._bake(record, now)

    def _bake(self, record: Record, now: float) -> Record | Wait:
        intent = record.intent
        assert intent is not None
        until = intent.bake_until
        if until is None:
            until = now + self.bake_seconds
            self._write(lambda current: replace(current, intent=replace(intent, bake_until=until)), now, "watches")
        if now < until:
            return Wait(f"the challenger has all requests; its alarms are watched for {until - now:.0f} s more")
        return self._write(lambda current: self._switched(current, now), now, "the challenger becomes the champion")

    def _give_up(self, alarms: list[str], now: float) -> None:
        why = f"alarms while it had all requests: {', '.join(alarms)}"
        ended = self._write(lambda current: replace(current.ended(ABORTED, now, why), intent=None), now, why)
        self.production.shift(ended.weights)
        raise StepError(
            f"The challenger had all requests, and these alarms went off: {', '.join(alarms)}. The champion gets all"
            f" requests again, and the test has ended. `mlops ab abort {self.production.store.pipeline}` removes the"
            " challenger."
        )

    def _switched(self, record: Record, now: float) -> Record:
        """The one write that changes the champion."""
        old, new = record.champion, record.challenger
        assert new is not None
        reason = "" if record.test is None or not record.test.why else f" ({record.test.why})"
        why = f"promoted in execution {self.execution_id}{reason}"
        return replace(
            record.ended(PROMOTED, now, why), champion=replace(new, since=now, why=why), challenger=old, share=0.0
        )

    def _write(self, change: Callable[[Record], Record], now: float, why: str) -> Record:
        by = f"execution {self.execution_id}"
        return self.production.store.change(lambda record: change(held_by(by, record)), now=now, by=by, why=why)


def held_by(by: str, record: Record) -> Record:
    """The record, whose intent must still be that of ``by``. Raises StepError: somebody has taken over in between."""
    if record.intent is None or record.intent.by != by:
        why = record.why or "nothing is known of it"
        raise StepError(f"{record.by or 'Somebody'} has taken over in the middle of this action: {why}.")
    return record


def _most(model: Deployed) -> int:
    """How many instances its autoscaling allows; a fixed number is not limited."""
    scales = model.parameters.get("Autoscales") == "true"
    return int(model.parameters["MaxCapacity"]) if scales else _NO_LIMIT
