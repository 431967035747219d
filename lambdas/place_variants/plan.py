"""Before the change sets: claim the record, give the challenger's requests back, and compute the parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from handler_kit import logs
from handler_kit.errors import StepError
from place_variants import placement
from place_variants.begin import ABORT, PROMOTE, ROLLBACK, begin, kind_of
from place_variants.give_back import give_back
from place_variants.observed import check_variants, slots_of
from place_variants.production import Production, Wait
from place_variants.promote import Promotion
from place_variants.reconcile import Slots, reconcile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.ab_record import Deployed, Record
    from handler_kit.production import Stack
    from place_variants.observed import Endpoint
    from place_variants.placement import Placement
    from place_variants.settings import Document, Params

_OF_MODEL = frozenset({"Image", "ModelDataUrl", "ModelPackageArn", "ExecutionId"})


@dataclass(frozen=True)
class Planned:
    """The parameters of both change sets.

    Attributes:
        first: Of the first.
        second: Of the second.
        role: The role of the model that this execution releases: ``champion`` or ``challenger``.
        summary: What happens, for people.
    """

    first: dict[str, str]
    second: dict[str, str]
    role: str
    summary: str


class Plan:
    """Plans one execution; each call looks at everything again, so that it can be repeated after any interruption."""

    def __init__(self, production: Production, params: Params, document: Document, given: Mapping[str, str]) -> None:
        """Plan with the parameters ``given`` in the artifact of the release."""
        self._production, self._params, self._document = production, params, document
        self._static = {name: text for name, text in given.items() if name not in _OF_MODEL | document.fleet.keys()}
        self._requested = {name: given.get(name, str(value)) for name, value in document.fleet.items()}
        self._by = f"execution {params.execution_id}"

    def run(self, now: float) -> Planned | Wait:
        """Return the plan, or for what to wait. Raises StepError when the execution cannot go on."""
        stack, endpoint = self._production.stack(), self._production.endpoint()
        if stack is not None:
            stack.check()
            if stack.serves and stack.status.endswith("_IN_PROGRESS"):
                return Wait(f"stack {stack.name}: {stack.status}")
        if endpoint is not None and endpoint.changes:
            return Wait(f"endpoint {endpoint.name}: {endpoint.status}")
        slots = slots_of(stack)
        if stack is None or stack.paused_at is None or endpoint is not None:
            check_variants(endpoint, slots)
        try:
            claimed = self._claim(slots, now)
        except StepError:
            waits = give_back(self._production, endpoint, self._by, now) if kind_of(self._params) == PROMOTE else None
            if waits is None:
                raise
            return waits
        ready = claimed if isinstance(claimed, Wait) else self._weights(claimed, endpoint, now)
        return ready if isinstance(ready, Wait) else self._planned(ready, stack, endpoint)

    def _claim(self, slots: Slots, now: float) -> Record | Wait:
        """Write the intent of this execution, unless it is written."""
        store = self._production.store
        held = store.read()[0].intent
        if held is not None and held.expires is not None and now < held.expires:
            return Wait(f"{held.by} changes the weights")
        why = f"begins to {kind_of(self._params)}"
        return store.change(lambda record: self._claimed(record, slots, now), now=now, by=self._by, why=why)

    def _claimed(self, record: Record, slots: Slots, now: float) -> Record:
        held = record.intent
        true = reconcile(record, slots, now=now)
        begun = begin(true, self._params, self._document, self._requested, now=now)
        if held is None or held.by != self._by or held.kind != kind_of(self._params):
            return begun
        resumed = replace(begun, intent=held)
        return record if resumed == record else resumed

    def _weights(self, record: Record, endpoint: Endpoint | None, now: float) -> Record | Wait:
        """Give the champion all requests; in a promotion, make the challenger the champion first."""
        if endpoint is None or record.champion is None:
            return record
        assert record.intent is not None
        promoted = record.champion.model_package_arn == self._params.model_package_arn
        if record.intent.kind == PROMOTE and not promoted:
            promotion = Promotion(self._production, self._params.execution_id, self._document.bake_seconds)
            return promotion.advance(record, endpoint, now)
        if endpoint.has(record.weights):
            return record
        self._production.shift(record.weights)
        return Wait("the champion gets all requests")

    def _planned(self, record: Record, stack: Stack | None, endpoint: Endpoint | None) -> Planned:
        slots = slots_of(stack)
        now = stack.parameters if stack is not None and slots else {}
        placed = self._placement(record, slots, endpoint)
        first, second = placed.parameters(self._static, self._document.fleet, now, has_policy=self._document.has_alarms)
        is_champion = placed.second.champion.model_package_arn == self._params.model_package_arn
        role = "champion" if is_champion else "challenger"
        places = ", ".join(f"{place.model.slot}: {place.model.model_package_arn}" for place in placed.second.places)
        logs.info("variants planned", role=role, slots=places)
        return Planned(first, second, role, f"{kind_of(self._params)}, as the {role}; {places}")

    def _placement(self, record: Record, slots: Slots, endpoint: Endpoint | None) -> Placement:
        champion, occupant, intent = record.champion, record.challenger, record.intent
        assert intent is not None
        if champion is None:
            return placement.first_release(_required(intent.model))
        if intent.kind in (PROMOTE, ABORT):
            return placement.clearing(champion, occupant)
        model = _required(intent.model)
        if intent.kind == ROLLBACK:
            return placement.rollback(champion, model, occupant)
        # A paused endpoint comes back with the number of instances that the release configures.
        busy = 0 if endpoint is None else endpoint.counts.get(champion.slot, 0)
        if occupant is None:
            now = slots[champion.slot]
            scaling = {name: now[name] for name in placement.SCALING if name in now}
            return placement.arrival(champion, model, scaling_now=scaling, busy=busy)
        scales = slots[occupant.slot].get("Autoscales") == "true"
        return placement.replacement(champion, model, occupant, scales_now=scales, busy=busy)


def _required(model: Deployed | None) -> Deployed:
    assert model is not None
    return model
