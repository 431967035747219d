"""What can be broken on purpose: each must be found."""

from __future__ import annotations

import json
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

    def put(client: Any, bucket: str, key: str, record: Any) -> str:
        body = json.dumps(record.to_json()).encode()
        return str(client.put_object(Bucket=bucket, Key=key, Body=body)["ETag"])

    def of_functions(store: Any, record: Any, etag: str | None, *, now: float, by: str, why: str) -> str:
        written = replace(record, version=record.version + 1, updated=now, by=by, why=why)
        return put(store.s3, store.bucket, store.key, written)

    def of_commands(store: Any, record: Any, etag: str | None, *, by: str, why: str) -> tuple[Any, str]:
        written = replace(record, version=record.version + 1, by=by, why=why)
        return written, put(store.pipeline.client("s3"), store.pipeline.artifact_bucket, store.key, written)

    with (
        patch.object(ab_store.Store, "write", of_functions),
        patch.object(other_store.Store, "write", of_commands),
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
