"""The captured records that have arrived since the last look are counted.

Time is cut into looks, of which each begins at a full hour or a multiple of the interval after it, whenever the
function really runs. Alarms are judged at the end of each, so they depend on the records alone: a function that was
away for a day raises the same ones. A look that takes too long is continued: what was counted of it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watch_traffic.captured import HOUR
from watch_traffic.records import answers, predicted, records
from watch_traffic.watched import FEATURES, PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from handler_kit.json_lines import Listed
    from watch_traffic.captured import Request
    from watch_traffic.state import Ledger
    from watch_traffic.watched import Watched

# Records that are placed at once; the result does not depend on it.
BATCH = 2_000


@dataclass(frozen=True)
class Counting:
    """How the records of a watch are counted.

    Attributes:
        watched: What is watched.
        ledger: What is known; it is changed.
        requests: Reads the requests of an object.
    """

    watched: Watched
    ledger: Ledger
    requests: Callable[[Listed], Iterator[Request | None]]

    def count(self, objects: Sequence[Listed], end: float, has_time: Callable[[], bool]) -> bool:
        """Count the objects that arrived before the end of a look; return whether the look is complete."""
        ledger = self.ledger
        done = (ledger.done[0], ledger.done[1]) if ledger.done else (0.0, "")
        for one in objects:
            if (one.arrived, one.key) <= done:
                continue
            if not has_time():
                return False
            self._count_object(self.requests(one), one.arrived // HOUR * HOUR)
            ledger.done = [one.arrived, one.key]
        ledger.until, ledger.done = end, []
        return True

    def _count_object(self, requests: Iterator[Request | None], window: float) -> None:
        batch: list[Request] = []
        for request in requests:
            if request is None:
                self.ledger.counts["malformed"] += 1
            elif request.time < self.watched.released.since:
                self.ledger.counts["before"] += 1
            else:
                batch.append(request)
            if len(batch) == BATCH:
                self._count_batch(batch, window)
                batch = []
        self._count_batch(batch, window)

    def _count_batch(self, requests: Sequence[Request], window: float) -> None:
        rows: list[list[Any]] = []
        predictions: list[str] = []
        confidences: list[float] = []
        for request in requests:
            self._take(request, window, rows, predictions, confidences)
        groups, watches = self.watched.groups, self.ledger.watches
        if rows and FEATURES in groups:
            columns = zip(*rows, strict=True)
            watches[FEATURES].add(window, dict(zip(groups[FEATURES].names, columns, strict=True)))
        if predictions and PREDICTIONS in groups:
            watches[PREDICTIONS].add(window, {groups[PREDICTIONS].names[0]: predictions})
        calibration = self.watched.baseline.calibration
        if confidences and calibration is not None and self.ledger.estimated is not None:
            self.ledger.estimated.add(self.ledger.until, calibration, confidences)

    def _take(
        self,
        request: Request,
        window: float,
        rows: list[list[Any]],
        predictions: list[str],
        confidences: list[float],
    ) -> None:
        """Read a request: the records that count, their predictions and how sure the model was."""
        ledger, groups = self.ledger, self.watched.groups
        found = None
        if FEATURES in groups:
            found = self._rows(request, groups[FEATURES].names)
            ledger.counts["unreadable_requests"] += found is None
        count = None if found is None else len(found)
        given = None if request.response is None else predicted(request.response, count)
        ledger.counts["unreadable_responses"] += given is None and PREDICTIONS in groups
        kept = slice(None)
        if self.watched.config["one_record_per_user"]:
            user, dot, _ = request.id.partition(".")
            ledger.counts["without_user"] += not dot
            first = bool(dot) and ledger.thinning.takes(window, user)
            kept = slice(0, int(first))
        rows += (found or [])[kept]
        predictions += (given or [])[kept]
        if ledger.estimated is not None and given is not None and request.response is not None:
            sure = answers(request.response, len(given))
            confidences += [one.confidence for one in (sure or [])[kept]]

    def _rows(self, request: Request, names: Sequence[str]) -> list[list[Any]] | None:
        return None if request.body is None else records(request.body, request.content_type, names)
