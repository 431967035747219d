"""Requests joined with the outcomes that were reported of them: was each prediction right?

Requests are joined an hour at a time, by the arrival of their objects, when the hour is older than the maturity
window, whatever has been reported by then: otherwise failures that are reported first would look like a fall. An
outcome counts if it arrives within the window after its request; the first one is final. Of requests with the same id
in an hour, the first one counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit.outcomes import CLOCK_SLACK, Outcomes
from handler_kit.predictions import csv_rows
from watch_traffic.captured import HOUR
from watch_traffic.records import is_right, predicted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handler_kit.outcomes import Outcome
    from watch_traffic.captured import Capture, Request
    from watch_traffic.state import Ledger


@dataclass(frozen=True)
class Joining:
    """How the requests of a watch are joined with outcomes.

    Attributes:
        ledger: What is known; it is changed.
        capture: What was captured.
        s3: The client.
        place: Bucket and prefix of the outcomes.
        since: Since when the release responds alone.
        config: The arguments of ``Quality``.
    """

    ledger: Ledger
    capture: Capture
    s3: Any
    place: tuple[str, str]
    since: float
    config: Mapping[str, Any]

    def join(self, now: float, has_time: Callable[[], bool]) -> int | None:
        """Join the next hour; return how many outcomes count, None if it is not old enough or there is no time."""
        begin, quality = self.ledger.quality_until, self.ledger.quality
        window = float(self.config["maturity_window_in_seconds"])
        end = begin + HOUR
        if quality is None or end + window + CLOCK_SLACK > now or not has_time():
            return None
        requests = self._requests(begin, end)
        outcomes: dict[str, Outcome] = {}
        for arrival in Outcomes(self.s3, *self.place, begin).read(begin, end + window) if requests else ():
            request = requests.get(arrival.id)
            if arrival.outcome is None or request is None:
                continue
            if request.time - CLOCK_SLACK <= arrival.at <= request.time + window:
                outcomes.setdefault(arrival.id, arrival.outcome)
        right = []
        for name, request in requests.items():
            found = None if name not in outcomes else self._is_right(request, outcomes[name])
            self.ledger.counts["without_outcome"] += found is None
            right += [] if found is None else [found]
        quality.add(right, begin)
        self.ledger.quality_until = end
        return len(right)

    def _requests(self, begin: float, end: float) -> dict[str, Request]:
        """Return the requests of an hour by their id, in the order of time."""
        found = [
            request
            for one in self.capture.objects(begin, end)
            for request in self.capture.requests(one)
            if request is not None and request.time >= self.since
        ]
        first: dict[str, Request] = {}
        for request in sorted(found, key=lambda request: (request.time, request.id)):
            first.setdefault(request.id, request)
        return first

    def _is_right(self, request: Request, outcome: Outcome) -> bool | None:
        labels = _labels(outcome)
        if not labels or request.response is None:
            return None
        given = predicted(request.response, len(labels))
        # No prediction, or another number of them, cannot be right.
        tolerances = self.config["absolute_tolerance"], self.config["relative_tolerance"]
        return given is not None and is_right(labels, given, *tolerances)


def _labels(outcome: Outcome) -> list[str]:
    """Return the true label of each record; none if they cannot be read.

    An outcome for several metrics of an A/B test has that of the prediction as ``accuracy``.
    """
    if not outcome.is_json:
        rows = csv_rows(outcome.text)
        return rows[0] if len(rows) == 1 else [row[0] for row in rows]
    try:
        found = json.loads(outcome.text)
    except (ValueError, RecursionError):
        return []
    if isinstance(found, dict):
        found = found.get("accuracy")
    values = found if isinstance(found, list) else [found]
    if not all(isinstance(value, (str, bool, int, float)) for value in values):
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
