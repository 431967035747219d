"""Captured requests joined with their outcomes, so that the counts are the same whenever somebody looks.

A unit is a request or, where users stay at one variant, a user. It counts once, with its first request, when it is
older than its maturity window. All rules use only what has arrived by then, and requests until its span is over:

- A request whose id occurs again in the same variant counts once, the first time. If the id occurs in both variants
  within the span (ten minutes, or the time over which a user is observed), neither counts. An id that comes again later
  is ignored, for twice the maturity window and an hour.
- A user's unit is the part of the inference id before the first dot (32 hexadecimal digits of
  ``sha256("<salt>:<key>")``); all of the user's requests over the span are one record. Requests without such an id do
  not count, as many of them may be of one user.
- An outcome that arrives after the window is late: it is counted, and not used. One that names no captured request is
  unknown; if not all requests are captured, most are. Both are known only when the window after the outcome is over.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handler_kit.errors import StepError
from handler_kit.outcomes import CLOCK_SLACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from handler_kit.outcomes import Arrival, Outcome, Outcomes
    from judge_ab_test.capture import Capture, Request
    from judge_ab_test.seen import Seen
    from judge_ab_test.timeline import Timeline

MAX_REQUESTS = 700_000
_RETRY_SECONDS = 600.0
_USER = re.compile(r"([0-9a-f]{32})\..")


@dataclass(slots=True)
class Joined:
    """A request that counts.

    Attributes:
        unit: Its request id or user.
        request: The request.
        share: The challenger's share of the traffic when the unit's variant was chosen.
        deadline: Until when its outcome must arrive.
        outcome: Its outcome.
        arrived: When the outcome arrived.
    """

    unit: str
    request: Request
    share: float
    deadline: float
    outcome: Outcome | None = None
    arrived: float | None = None


@dataclass(slots=True)
class _Unit:
    """A unit: its name, its first request, and the others until its span is over."""

    name: str
    first: Request
    others: list[Request] = field(default_factory=list)


@dataclass(frozen=True)
class Joining:
    """How the requests of a test are joined.

    Attributes:
        capture: The captured requests.
        outcomes: The outcomes.
        timeline: The shares.
        window: The maturity window of a request, in seconds.
        horizon: How long a user is observed, in seconds; None where a variant is chosen for each request.
        seen: The units that have been counted; it is changed.
        counts: What did not count, by reason; it is changed.
    """

    capture: Capture
    outcomes: Outcomes
    timeline: Timeline
    window: float
    horizon: float | None
    seen: Seen
    counts: Counter[str]

    @property
    def maturity(self) -> float:
        """Seconds after a unit's first request in which everything about it is known."""
        return self.window + (self.horizon or 0.0)

    @property
    def _span(self) -> float:
        return min(_RETRY_SECONDS, self.window) if self.horizon is None else self.horizon

    def join(self, after: float, until: float) -> list[Joined]:
        """Return the requests of the units whose first request was after one time, until another one."""
        found = [joined for unit in self._units(after, until) for joined in self._requests(unit)]
        by_id: dict[str, list[Joined]] = {}
        for joined in found:
            by_id.setdefault(joined.request.id, []).append(joined)
        self.counts["malformed now"] = 0
        for arrival in self.outcomes.read(after, until + self.maturity):
            self._take(arrival, by_id.get(arrival.id, ()), until)
        self.seen.forget(until - self.seen.memory - CLOCK_SLACK)
        return found

    def peek(self, after: float) -> None:
        """Count malformed outcomes before any request is old enough: who begins to report wants to know at once."""
        arrivals = self.outcomes.read(after, math.inf)
        self.counts["malformed now"] = sum(arrival.outcome is None for arrival in arrivals)

    def _units(self, after: float, until: float) -> Iterable[_Unit]:
        found: list[_Unit] = []
        newest: dict[str, _Unit] = {}
        for request in sorted(self._bounded(after, until), key=_order):
            name = self._unit_of(request.id)
            if name is None:
                self.counts["without_user"] += 1
            elif self.seen.first_time(name, request.time) is None:
                self.seen.add(name, request.time)
                newest[name] = _Unit(name, request)
                found.append(newest[name])
            else:
                self.counts["duplicate_requests"] += self.horizon is None
                if name in newest:
                    newest[name].others.append(request)
        for request in self.capture.read(until, until + self._span, Counter()):
            name = self._unit_of(request.id)
            if name in newest:
                newest[name].others.append(request)
        return found

    def _bounded(self, after: float, until: float) -> Iterator[Request]:
        for number, request in enumerate(self.capture.read(after, until, self.counts)):
            if number == MAX_REQUESTS:
                raise StepError(
                    f"More than {MAX_REQUESTS:,} requests were captured in about an hour: no look can count them."
                    " Capture fewer of them (`sampling_percentage` of production.data_capture)."
                )
            yield request

    def _unit_of(self, request_id: str) -> str | None:
        if self.horizon is None:
            return request_id
        user = _USER.match(request_id)
        return None if user is None else user[1]

    def _requests(self, unit: _Unit) -> Iterator[Joined]:
        """Yield the requests of a unit that count."""
        share = self.timeline.share(unit.first.time)
        end, deadline = unit.first.time + self._span, unit.first.time + self.maturity
        others = [one for one in sorted(unit.others, key=_order) if one.time <= end and one.delivered <= deadline]
        by_id: dict[str, list[Request]] = {}
        for request in (unit.first, *others):
            by_id.setdefault(request.id, []).append(request)
        firsts = [same[0] for same in by_id.values() if len({one.challenger for one in same}) == 1]
        if share is None:
            self.counts["outside"] += 1
        elif firsts and firsts[0] is unit.first:
            for request in firsts:
                self.counts["duplicate_requests"] += 0 if self.horizon is None else len(by_id[request.id]) - 1
                yield Joined(unit.name, request, share, deadline)

    def _take(self, arrival: Arrival, wanted: Iterable[Joined], until: float) -> None:
        """Give an outcome to its request, or count what is wrong with it."""
        is_old = arrival.at + CLOCK_SLACK <= until
        if arrival.outcome is None:
            self.counts["malformed" if is_old else "malformed now"] += 1
            return
        for joined in wanted:
            if joined.request.time - CLOCK_SLACK <= arrival.at <= joined.deadline:
                if joined.outcome is None:
                    joined.outcome, joined.arrived = arrival.outcome, arrival.at
                else:
                    self.counts["repeated" if joined.outcome == arrival.outcome else "conflicting"] += 1
                return
        if is_old:
            self._count_unused(arrival)

    def _count_unused(self, arrival: Arrival) -> None:
        unit = self._unit_of(arrival.id)
        first = None if unit is None else self.seen.first_time(unit, arrival.at)
        if first is None or arrival.at < first - CLOCK_SLACK:
            # Until then, outcomes may be of requests before the test.
            self.counts["unknown"] += arrival.at > self.outcomes.since + self.maturity
        elif self.horizon is None:
            self.counts["late"] += arrival.at > first + self.window


def _order(request: Request) -> tuple[float, str, bool]:
    return request.time, request.id, request.challenger
