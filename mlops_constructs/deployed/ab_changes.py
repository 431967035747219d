"""Changes of the weights, each with an intent in the record, so that whoever comes next can finish or undo it."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import MlopsError
from .ab_endpoint import IN_SERVICE
from .ab_record import ABORT, EXPIRES_SECONDS, Intent, Record
from .ab_store import LostRaceError
from .clients import explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .ab_endpoint import Endpoint, Observed
    from .ab_store import Store


@dataclass
class Change:
    """A change that has begun.

    Attributes:
        record: The record as it was written last.
        etag: Its ETag.
        store: Where it is.
        by: Who changes.
        asked: Weights that AWS was asked for, if it may have heard.
        moved: Whether it was asked for weights at all.
    """

    record: Record
    etag: str
    store: Store
    by: str
    asked: Mapping[str, float] | None = None
    moved: bool = False

    def renew(self) -> None:
        """Tell the others that this command is still at it."""
        assert self.record.intent is not None
        intent = replace(self.record.intent, expires=time.time() + EXPIRES_SECONDS)
        self.write(replace(self.record, intent=intent), self.record.why)

    def write(self, record: Record, why: str) -> None:
        """Write the record. Raises MlopsError when somebody else has taken over."""
        try:
            self.record, self.etag = self.store.write(record, self.etag, by=self.by, why=why)
        except LostRaceError as error:
            name = self.store.pipeline.name
            raise MlopsError(
                f"{error.holder} took over in the middle of this command; `mlops ab status {name}` shows the result"
            ) from error


class Changes:
    """The changes of one command."""

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        """Change this endpoint, and its record."""
        self._store, self._endpoint = store, endpoint
        self.by = f"command {uuid.uuid4().hex[:12]}"

    @contextmanager
    def begun(
        self, record: Record, etag: str, kind: str, why: str, share: float | None = None, *, keep: bool = False
    ) -> Iterator[Change]:
        """Write the intent; if the change ends with an exception, write what is true then.

        With ``keep``, the intent of somebody else stays, and this change has none.

        Raises LostRaceError, with nothing changed, when the record is not what was read.
        """
        now = time.time()
        intent = Intent(kind=kind, by=self.by, since=now, expires=now + EXPIRES_SECONDS, share=share)
        change, begun = None, record if keep else record.begun(intent, now)
        try:
            change = Change(*self._store.write(begun, etag, by=self.by, why=why), self._store, self.by)
            yield change
        except BaseException as error:
            with suppress(MlopsError):
                self._restore(change, change.asked if change is not None and _unknown(error) else None)
            raise

    def set_weights(self, change: Change, weights: Mapping[str, float]) -> None:
        """Ask for weights, and wait until they are read back."""
        change.asked, change.moved = weights, True
        self._endpoint.set_weights(weights)
        self._endpoint.wait_for_weights(weights)
        change.asked = None

    def finish_shift(self, record: Record, etag: str) -> None:
        """Write down the weights that a command has left that did not come to its end."""
        seen = self._endpoint.state()
        if seen.status != IN_SERVICE:
            raise MlopsError(seen.busy())
        why = f"the weights that {record.intent.by if record.intent is not None else 'nobody'} has left"
        self._store.write(record.settled(_share(record, seen), time.time()), etag, by=self.by, why=why)

    def abort(self, record: Record, etag: str, why: str, *, keep: bool = False) -> bool:
        """End the test, and give the champion all requests; return whether weights had to be changed.

        The record comes first: sticky callers name the challenger whatever its weight is, until the test has ended.

        Args:
            record: The record.
            etag: Its ETag.
            why: Why the test ends.
            keep: Whether the record keeps its intent: that of an execution which brings a model into its slot tells
                what has to be repaired.
        """
        assert record.champion is not None
        slot = record.champion.slot
        if slot not in self._endpoint.state().variants:
            raise MlopsError(
                f"the endpoint {self._endpoint.name} has no variant {slot}, which the champion has; nothing was changed"
            )
        with self.begun(record.ended(time.time(), why), etag, ABORT, why, keep=keep) as change:
            seen = self._endpoint.wait(lambda _: True, f"the test has ended; {self._endpoint.name} gets its weights")
            weights = {name: float(name == slot) for name in seen.variants}
            moves = not seen.has(weights)
            if moves:
                self.set_weights(change, weights)
            if not keep:
                change.write(replace(change.record, intent=None), why)
        return moves

    def _restore(self, change: Change | None, asked: Mapping[str, float] | None) -> None:
        """Write what is true, unless somebody else has taken over; if that is not known, let the next command look."""
        with explained("the record could not be restored"):
            record, etag = self._store.read()
            if record.intent is None or record.intent.by != self.by or etag is None:
                if change is not None and change.moved:
                    self._give_way(record)
                return
            seen, now = self._endpoint.state(), time.time()
            share, aborts = _share(record, seen), record.intent.kind == ABORT
            unknown = seen.status != IN_SERVICE or (asked is not None and not seen.has(asked))
            # The test of an abort has ended, so its challenger must not keep a weight.
            if unknown or (aborts and share > 0.0):
                crashed = replace(record, intent=replace(record.intent, expires=now))
                self._store.write(crashed, etag, by=self.by, why=f"{record.why} (broken off)")
                return
            if aborts:
                self._store.write(record.aborted(now, record.why), etag, by=self.by, why=record.why)
                return
            self._store.write(record.settled(share, now), etag, by=self.by, why=f"{record.why} (broken off)")

    def _give_way(self, record: Record) -> None:
        """The guard may have ended the test just before this command's weights came: nobody else would undo them."""
        if record.intent is None and record.running is None and not self._endpoint.state().has(record.weights):
            self._endpoint.wait(lambda _: True, f"waiting for {self._endpoint.name}")
            self._endpoint.set_weights(record.weights)


def _share(record: Record, seen: Observed) -> float:
    """The challenger's share of the traffic, as it is; weights that were asked for are not rounded."""
    if record.challenger is None:
        return 0.0
    share = seen.shares.get(record.challenger.slot, 0.0)
    known = (record.share, None if record.intent is None else record.intent.share)
    return next((one for one in known if one is not None and abs(one - share) <= 1e-6), share)


def _unknown(error: BaseException) -> bool:
    """Whether AWS may have accepted the last call: it has not refused it, as far as this side knows."""
    from botocore.exceptions import BotoCoreError

    return not isinstance(error, MlopsError) or isinstance(error.__cause__, BotoCoreError)
