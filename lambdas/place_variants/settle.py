"""After the change sets and the smoke test: write what is true now, and give a challenger its share of the traffic."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from handler_kit.ab_plan import Plan
from handler_kit.ab_record import ABORTED, Deployed, Record, Test
from handler_kit.errors import StepError
from place_variants.begin import RELEASE, ROLLBACK
from place_variants.give_back import give_back
from place_variants.observed import check_variants, slots_of
from place_variants.placement import GUARDED
from place_variants.production import Production, Wait
from place_variants.promote import held_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handler_kit.ab_record import Intent
    from handler_kit.production import Stack
    from place_variants.observed import Endpoint
    from place_variants.settings import Document, Params


@dataclass(frozen=True)
class Settled:
    """What is true after the execution.

    Attributes:
        role: The role of the released model: ``champion`` or ``challenger``.
        summary: For people.
    """

    role: str
    summary: str


class Settle:
    """Settles one execution; each call looks at everything again, so that it can be repeated after any interruption."""

    def __init__(self, production: Production, params: Params, document: Document) -> None:
        self._production, self._params, self._document = production, params, document
        self._by = f"execution {params.execution_id}"

    def run(self, now: float) -> Settled | Wait:
        """Return what is true now, or for what to wait. Raises StepError when the execution cannot go on."""
        production = self._production
        stack, endpoint = production.stack(), production.endpoint()
        if endpoint is None or stack is None:
            raise StepError(f"There is no endpoint {production.name}; retry the stage that deploys it.")
        if endpoint.changes:
            return Wait(f"endpoint {endpoint.name}: {endpoint.status}")
        record, _ = production.store.read()
        slots = slots_of(stack)
        check_variants(endpoint, slots)
        waits = give_back(production, endpoint, self._by, now) if self._is_aborted(record) else None
        if waits is not None:
            return waits
        intent = record.intent
        if intent is None or intent.by != self._by:
            self._check_test(record)
            return self._settled(record)
        if intent.kind == RELEASE and record.champion is not None:
            return self._begin_test(record, intent, stack, endpoint, now)
        self._check_packages(slots)
        return self._settled(self._write(lambda current: _alone(current, intent), now, f"{intent.kind} is done"))

    def _check_packages(self, slots: Mapping[str, Mapping[str, str]]) -> None:
        found = [parameters.get("ModelPackageArn") for parameters in slots.values()]
        if found != [self._params.model_package_arn]:
            raise StepError(
                f"The production stack serves {', '.join(map(str, found))}, and this execution has released"
                f" {self._params.model_package_arn}: somebody changed the stack by hand. Start a new execution."
            )

    def _is_aborted(self, record: Record) -> bool:
        test = record.test
        return test is not None and test.id.startswith(self._params.execution_id) and test.state == ABORTED

    def _check_test(self, record: Record) -> None:
        test = record.test
        if test is not None and self._is_aborted(record):
            raise StepError(f"The test of this challenger was aborted: {test.why}. The champion gets all requests.")

    def _begin_test(
        self, record: Record, intent: Intent, stack: Stack, endpoint: Endpoint, now: float
    ) -> Settled | Wait:
        model = intent.model
        assert model is not None
        self._check_test(record)
        if record.challenger != model or record.test is None or not record.test.runs:
            record = self._write(lambda current: self._challenged(current, model, now), now, "the test is written down")
        waits = self._bake(record, stack, now)
        if waits is not None:
            return waits
        share = float(self._document.plan["statistics"]["challenger_weight"])
        wanted = replace(record, share=share).weights
        if not endpoint.has(wanted):
            self._production.shift(wanted)
            return Wait(f"the challenger gets {share:.3g} of the requests")

        # The action began before it looked, and the weights may have come into force in between.
        since = max(now, endpoint.seen)

        def running(current: Record) -> Record:
            assert current.test is not None
            self._check_test(current)
            test = replace(current.test.with_segment(since, share), started=since)
            return replace(current, test=test, share=share, intent=None)

        return self._settled(self._write(running, now, "the test has begun"))

    def _challenged(self, record: Record, model: Deployed, now: float) -> Record:
        """The record with the challenger and its test, before its first request."""
        assert record.champion is not None
        self._check_test(record)
        plan = complete(self._document.plan)
        test = Test(
            id=f"{self._params.execution_id}-{record.version}",
            champion=record.champion.model_package_arn,
            challenger=model.model_package_arn,
            salt=secrets.token_hex(16),
            plan=plan,
            plan_sha256=sha256(plan),
            started=now,
        )
        return replace(record, challenger=model, test=test, share=0.0)

    def _bake(self, record: Record, stack: Stack, now: float) -> Wait | None:
        """Watch the alarms where SageMaker did not: after an update that changed the set of variants."""
        intent = record.intent
        assert intent is not None
        if stack.parameters.get(GUARDED) != "false":
            return None
        alarms = self._production.alarms()
        if alarms:
            why = f"alarms after the challenger's arrival: {', '.join(alarms)}"
            self._write(lambda current: replace(current.ended(ABORTED, now, why), intent=None), now, why)
            raise StepError(
                f"The challenger is deployed without requests, and these alarms went off: {', '.join(alarms)}. The"
                f" champion gets all requests; `mlops ab abort {self._production.store.pipeline}` removes the"
                " challenger."
            )
        until = intent.bake_until
        if until is None:
            until = now + self._document.bake_seconds
            baking = replace(intent, bake_until=until)
            self._write(lambda current: replace(current, intent=baking), now, "watches the alarms")
        if now >= until:
            return None
        return Wait(f"the alarms are watched for {until - now:.0f} s more, before the challenger gets requests")

    def _write(self, change: Callable[[Record], Record], now: float, why: str) -> Record:
        return self._production.store.change(
            lambda record: change(held_by(self._by, record)), now=now, by=self._by, why=why
        )

    def _settled(self, record: Record) -> Settled:
        champion = record.champion
        if champion is not None and champion.model_package_arn == self._params.model_package_arn:
            return Settled("champion", f"{champion.model_package_arn} is the champion")
        share = 100.0 * record.share
        return Settled(
            "challenger", f"{self._params.model_package_arn} is the challenger, with {share:.3g} % of the requests"
        )


def _alone(record: Record, intent: Intent) -> Record:
    """The record with one clean variant, the champion's."""
    champion = intent.model if intent.kind in (RELEASE, ROLLBACK) else record.champion
    test = None if intent.kind in (RELEASE, ROLLBACK) else record.test
    return replace(record, champion=champion, challenger=None, test=test, share=0.0, intent=None)


def complete(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan with everything that has a default: prior, grid, levels."""
    return {**plan, "statistics": Plan.from_json(plan["statistics"]).to_json()}


def sha256(plan: Mapping[str, Any]) -> str:
    """Return the digest of a plan: equal plans have equal digests."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
