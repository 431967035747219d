"""End the test in the record, give the champion all requests, and read the weights back.

Only a test whose own report says "abort" is ended: Lambda delivers an event again for hours, and another test may have
begun since.

The record comes first: sticky callers name the challenger whatever its weight is, and stop when the test has ended. If
the function fails after that, the next invocation finds an ended test whose challenger still has a weight, and goes on.

Protecting users comes before a change that somebody else has begun. The intent of a command, and that of a promotion,
is replaced: whoever finishes a change must find its own intent, and so finds out. Only the intent of an execution that
brings a model into its slot is kept, as it tells what has to be repaired; its model receives nothing without a test.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.ab_record import ABORTED, Intent, Record
from handler_kit.errors import StepError
from handler_kit.objects import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handler_kit.ab_store import Store

GUARD = "guard"
ABORT = "abort"
IN_SERVICE = "InService"
WHY = "the guard: the challenger is shown to be worse"
_EXPIRES_SECONDS = 900.0
_WAIT_SECONDS, _ATTEMPTS = 5.0, 60
# SageMaker keeps weights in 32 bits.
_ROUNDING = 1e-4


def abort(store: Store, sagemaker: Any, endpoint: str, *, now: float, sleep: Callable[[float], None]) -> dict[str, Any]:
    """Abort the test that runs, or finish what an earlier invocation has begun.

    Raises ClientError when SageMaker refuses the weights, as it does while the endpoint is updating, and StepError when
    they do not come into force; the test has ended then.
    """
    record = store.change(lambda found: _ended(store, found, now), now=now, by=GUARD, why=WHY)
    test, champion, challenger = record.test, record.champion, record.challenger
    if test is None or test.state != ABORTED or champion is None or challenger is None or _is_taken_over(record):
        return {"test": None if test is None else test.id, "aborted": False}
    wanted = {champion.slot: 1.0, challenger.slot: 0.0}
    _set_weights(sagemaker, endpoint, wanted, sleep)
    store.change(_finished, now=now, by=GUARD, why=f"{WHY}; its weight was read back as 0")
    logs.info("the challenger has no traffic", test=test.id, champion=champion.slot, challenger=challenger.slot)
    return {"test": test.id, "aborted": True}


def _ended(store: Store, record: Record, now: float) -> Record:
    """The record with its test ended and the guard's intent; unchanged when no test runs that is to be aborted."""
    if record.test is None or not record.test.runs or not _is_to_be_aborted(store, record.test.id):
        return record
    ended = record.ended(ABORTED, now, WHY)
    if record.intent is not None and record.intent.model is not None:
        return ended
    return replace(ended, intent=Intent(kind=ABORT, by=GUARD, since=now, expires=now + _EXPIRES_SECONDS))


def _is_to_be_aborted(store: Store, test: str) -> bool:
    found = read_object(store.s3, store.bucket, f"ab/{store.pipeline}/tests/{test}/report.json")
    report = {} if found is None else json.loads(found[0])
    says_so = (report.get("test"), report.get("action")) == (test, ABORT)
    if not says_so:
        logs.info("the report of the test does not say that it is to be aborted", test=test)
    return says_so


def _is_taken_over(record: Record) -> bool:
    """Whether somebody has begun another change after the test had ended."""
    intent = record.intent
    return intent is not None and intent.by != GUARD and intent.model is None


def _finished(record: Record) -> Record:
    mine = record.intent is not None and record.intent.by == GUARD
    return replace(record, intent=None) if mine else record


def _set_weights(sagemaker: Any, endpoint: str, wanted: Mapping[str, float], sleep: Callable[[float], None]) -> None:
    """Set the weights, unless they are set, and wait until they are in force."""
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    if not _has(found, wanted, "DesiredWeight"):
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=[
                {"VariantName": name, "DesiredWeight": weight} for name, weight in wanted.items()
            ],
        )
        found = sagemaker.describe_endpoint(EndpointName=endpoint)
    for _ in range(_ATTEMPTS):
        if found["EndpointStatus"] == IN_SERVICE and _has(found, wanted, "CurrentWeight"):
            return
        sleep(_WAIT_SECONDS)
        found = sagemaker.describe_endpoint(EndpointName=endpoint)
    raise StepError(
        f"The endpoint {endpoint} has the status {found['EndpointStatus']}, and its weights are not {dict(wanted)}"
        f" after {_ATTEMPTS * _WAIT_SECONDS:.0f} s. The test has ended; the next invocation continues."
    )


def _has(endpoint: Mapping[str, Any], wanted: Mapping[str, float], member: str) -> bool:
    """Whether only the champion has a weight; a challenger that is not there has none either."""
    variants = {one["VariantName"]: one.get(member, one.get("CurrentWeight")) for one in endpoint["ProductionVariants"]}
    total = sum(weight or 0.0 for weight in variants.values())
    if not total:
        return False
    shares = {name: (weight or 0.0) / total for name, weight in variants.items()}
    return all(abs(shares.get(name, 0.0) - weight) <= _ROUNDING for name, weight in wanted.items())
