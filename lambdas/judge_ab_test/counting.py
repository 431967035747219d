"""What has become old enough since the last look is counted, in pieces that fit into memory.

Where more captured data is waiting than one piece takes, each piece is a look of its own, and what is left when time
runs out is for the next look.

200,000 captured requests of 0.7 KB with their outcomes, all in one hour, take 9 s and 140 MB; over 24 hours, 19 s
and 110 MB (one core, S3 in the same process). With 1 GB a function has about half a core, so in its 15 minutes it takes
some 4 million requests, and at most MAX_REQUESTS of ``joining`` in one hour. Where users stay at one variant, each look
reads the requests of the whole horizon again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit.ab_plan import MEAN
from judge_ab_test.bins import OF_OUTCOMES, bin_of
from judge_ab_test.capture import HOUR
from judge_ab_test.judge import judge
from judge_ab_test.maturity import JoinedRecord, Matured, mature
from judge_ab_test.minutes import OF_CLOUDWATCH, matured, published_until
from judge_ab_test.sample_ratio import assigned
from judge_ab_test.users import by_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from handler_kit.ab_plan import Metric, Plan
    from judge_ab_test.books import Ledger
    from judge_ab_test.capture import Capture
    from judge_ab_test.joining import Joined, Joining
    from judge_ab_test.judge import Assigned, Report
    from judge_ab_test.minutes import Metrics, Minute

PIECE_BYTES = 128 << 20
# One piece and its verdict take less.
RESERVED_SECONDS = 240.0


@dataclass(frozen=True)
class Counting:
    """How the requests of a test are counted.

    Attributes:
        test: ID of the test.
        plan: Its plan.
        sources: By metric, what it measures.
        ledger: What is known; it is changed.
        joining: How requests are joined with outcomes.
        metrics: CloudWatch.
    """

    test: str
    plan: Plan
    sources: Mapping[str, Mapping[str, Any]]
    ledger: Ledger
    joining: Joining
    metrics: Metrics

    def measured(self, measures: Sequence[str]) -> list[Metric]:
        """Return the metrics that measure one of these."""
        return [metric for metric in self.plan.metrics if self.sources[metric.name]["measures"] in measures]

    def count(self, now: float, seconds_left: Callable[[], float]) -> Report:
        """Count everything that is old enough, and judge it; what there is no time for is left."""
        if self.measured(OF_OUTCOMES):
            self._count_requests(now, seconds_left)
        self._count_minutes(now)
        return self._judge({}, {}, now)

    def pending(self, now: float) -> int:
        """Return about how many requests are not old enough to count.

        Only those of whole minutes with known weights: others, such as smoke tests, never count.
        """
        begin, share = self.ledger.requests_until, self.joining.timeline.share
        if begin >= now:
            return 0
        return sum(
            count for since, until, count in self.metrics.invocations(begin, now) if share(since, until) is not None
        )

    def _count_requests(self, now: float, seconds_left: Callable[[], float]) -> None:
        ledger, target = self.ledger, now - self.joining.maturity
        if target <= ledger.requests_until:
            self.joining.peek(ledger.requests_until)
            return
        for until in _pieces(self.joining.capture, ledger.requests_until, target):
            joined = self.joining.join(ledger.requests_until, until)
            found = {metric.name: self._matured(metric, joined, until) for metric in self.measured(OF_OUTCOMES)}
            first = next(iter(found.values()))
            requests = {"captured": first.reported, "joined": first.outcomes}
            counted = {name: assigned((one.share, one.challenger) for one in each) for name, each in requests.items()}
            ledger.counts["missing"] += first.missing
            ledger.requests_until = until
            self._judge(found, counted, now)
            if seconds_left() < RESERVED_SECONDS:
                return

    def _matured(self, metric: Metric, joined: Sequence[Joined], until: float) -> Matured:
        source, bins, horizon = self.sources[metric.name], self.plan.bins(metric), self.joining.horizon
        records = []
        for one in joined:
            bin_, readable = None, True
            if one.outcome is not None:
                bin_, readable = bin_of(one.outcome, one.request.response, metric.name, source, bins)
            self.joining.counts["malformed"] += not readable
            request = one.request
            records.append(JoinedRecord(request.id, request.time, request.challenger, one.share, bin_, one.arrived))
        if horizon is not None:
            pairs = zip((one.unit for one in joined), records, strict=True)
            records = by_user(pairs, horizon, mean=metric.kind == MEAN)
        maturity = self.joining.maturity
        return mature(records, maturity, until + maturity, after=self.ledger.requests_until)

    def _count_minutes(self, now: float) -> None:
        ledger, until = self.ledger, published_until(now)
        if until <= ledger.minutes_until:
            return
        known, first = [], min((segment.since for segment in self.joining.timeline.segments), default=now)
        for begin, variants in self.metrics.read(ledger.minutes_until, until).items():
            share = self.joining.timeline.share(begin, begin + 60.0)
            if share is not None:
                known.append((begin, share, variants))
            elif begin >= first:
                ledger.counts["unsettled"] += sum(variant.invocations for variant in variants)
        ledger.minutes_until = until
        if not known:
            return
        found = {
            metric.name: matured(known, self.sources[metric.name], self.test) for metric in self.measured(OF_CLOUDWATCH)
        }
        self._add_traffic(known)
        # Where users stay at one variant, callers name it, so requests do not follow the weights.
        invoked = {} if self.joining.horizon is not None else {"invoked": _invoked(known)}
        self._judge(found, invoked, now)

    def _add_traffic(self, minutes: Sequence[tuple[float, float, tuple[Minute, Minute]]]) -> None:
        before = self.ledger.traffic or [[0, 0], [0, 0]]
        self.ledger.traffic = [
            [
                before[role][0] + sum(variants[role].invocations for _, _, variants in minutes),
                before[role][1] + sum(variants[role].server_errors for _, _, variants in minutes),
            ]
            for role in (0, 1)
        ]

    def _judge(self, found: Mapping[str, Matured], more: Mapping[str, Assigned], now: float) -> Report:
        state = self.ledger.state
        added = {name: _added(state.assigned.get(name, {}), counted) for name, counted in more.items()}
        self.ledger.state, report = judge(self.plan, state, found, added, now)
        return report


def _pieces(capture: Capture, after: float, target: float) -> Iterator[float]:
    """Yield the end of each piece: whole hours, as many as fit into memory, and at last the target."""
    size, hour = 0, after // HOUR * HOUR
    while hour + HOUR < target:
        size += capture.size(hour)
        hour += HOUR
        if size >= PIECE_BYTES:
            yield hour
            size = 0
    yield target


def _invoked(minutes: Sequence[tuple[float, float, tuple[Minute, Minute]]]) -> Assigned:
    found: Assigned = {}
    for _, share, (champion, challenger) in minutes:
        found = _added(found, {share: (champion.invocations, challenger.invocations)})
    return found


def _added(before: Assigned, more: Assigned) -> Assigned:
    shares = [*before, *(share for share in more if share not in before)]
    pairs = [(share, before.get(share, (0, 0)), more.get(share, (0, 0))) for share in shares]
    return {share: (old[0] + new[0], old[1] + new[1]) for share, old, new in pairs}
