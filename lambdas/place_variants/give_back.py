"""The champion gets all requests back when a test has ended while an execution was at the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from place_variants.production import Production, Wait

if TYPE_CHECKING:
    from handler_kit.ab_record import Record
    from place_variants.observed import Endpoint


def give_back(production: Production, endpoint: Endpoint | None, by: str, now: float) -> Wait | None:
    """Request the weights of the record where no test runs; None when they are in force, or somebody else is at them.

    The guard, or a person, may end the test between the look of an action at the record and its request for weights. No
    condition can be put on that request, so whoever made it looks again, and undoes it.
    """
    record, _ = production.store.read()
    if endpoint is None or not _is_over(record) or _is_held(record, by, now) or endpoint.has(record.weights):
        return None
    production.shift(record.weights)
    return Wait("the test has ended, and the champion gets all requests")


def _is_over(record: Record) -> bool:
    return record.challenger is not None and record.test is not None and not record.test.runs


def _is_held(record: Record, by: str, now: float) -> bool:
    """Whether somebody else is changing the weights."""
    held = record.intent
    return held is not None and held.by != by and (held.expires is None or now < held.expires)
