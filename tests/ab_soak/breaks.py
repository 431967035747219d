"""What can be broken on purpose: each must be found."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from abort_ab_test import abort
from place_variants import placement

from handler_kit import ab_store
from mlops_constructs.deployed import ab_record
from mlops_constructs.deployed import ab_store as other_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handler_kit.ab_record import Record


@contextmanager
def two_writes() -> Iterator[None]:
    """The champion changes in two writes: the old one is written down as the challenger before."""
    once = ab_store.Store.change

    def twice(store: ab_store.Store, change: Callable[[Record], Record], **why: Any) -> Record:
        before = store.read()[0]
        after = change(before)
        if before.champion is not None and after.champion != before.champion:
            once(store, lambda record: replace(record, challenger=record.champion), **why)
            return once(store, lambda record: replace(after, version=record.version), **why)
        return once(store, change, **why)

    with patch.object(ab_store.Store, "change", twice):
        yield


@contextmanager
def policy_kept() -> Iterator[None]:
    """An update that changes the set of variants has a deployment policy."""
    real = placement.ChangeSet.parameters

    def guarded(self: placement.ChangeSet, *given: Any) -> dict[str, str]:
        return {**real(self, *given), placement.GUARDED: "true"}

    with patch.object(placement.ChangeSet, "parameters", guarded):
        yield


@contextmanager
def target_kept() -> Iterator[None]:
    """A scalable target leaves together with its variant."""
    with patch.object(placement, "_OFF", {}):
        yield


@contextmanager
def last_writer_wins() -> Iterator[None]:
    """The record is written whatever it is by now."""

    def unconditional(real: Callable[..., Any]) -> Callable[..., Any]:
        def write(store: Any, record: Any, etag: str | None, **why: Any) -> Any:
            current = store.read()[1]
            return real(store, record, current, **why)

        return write

    with (
        patch.object(ab_store.Store, "write", unconditional(ab_store.Store.write)),
        patch.object(other_store.Store, "write", unconditional(other_store.Store.write)),
    ):
        yield


@contextmanager
def weight_left() -> Iterator[None]:
    """The guard ends the test, and leaves the challenger's weight."""
    with patch.object(abort, "_set_weights", lambda *_: None):
        yield


@contextmanager
def segment_open() -> Iterator[None]:
    """A shift ends the segment when the new weights are live, not before they are requested."""

    def begun(self: Any, intent: Any, at: float) -> Any:
        return replace(self, intent=intent)

    with patch.object(ab_record.Record, "begun", begun):
        yield


BREAKS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "": nullcontext,
    "two-writes": two_writes,
    "policy-kept": policy_kept,
    "target-kept": target_kept,
    "last-writer-wins": last_writer_wins,
    "weight-left": weight_left,
    "segment-open": segment_open,
}
