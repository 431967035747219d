"""Which requests count, and in which order, so that nothing late can favour a variant.

A request counts when it is older than the maturity window, whatever has arrived by then; requests count in the order in
which their variants were chosen. Without this, failures of one variant that are reported late make false verdicts in
most tests. Whether an outcome was reported by then is an outcome itself, which is tested between the variants: requests
without one are no loss as long as both variants lose them equally often.

Where users are kept at one variant, a record is a user: the variant and share of the user's first assignment, and one
outcome over a fixed time. Many requests of one user are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from judge_ab_test.counts import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class JoinedRecord:
    """A captured request with its outcome, if there is one.

    Attributes:
        inference_id: Its id, unique in the test.
        time: When the variant was chosen, in seconds.
        challenger: Whether the challenger responded.
        share: The challenger's share of the traffic at that time.
        outcome: The bin of the outcome (see ``Observation``); None if none has arrived.
        outcome_time: When the outcome first arrived, in seconds.
    """

    inference_id: str
    time: float
    challenger: bool
    share: float
    outcome: int | None = None
    outcome_time: float | None = None


@dataclass(frozen=True, slots=True)
class Matured:
    """The requests that have become old enough since the last look.

    Attributes:
        outcomes: Those with an outcome in time, in their order.
        reported: All of them in their order; bin 1 if their outcome arrived in time.
        until: Requests up to this time have been counted; the next call continues after it.
        pending: Requests that are not old enough.
        late: Requests whose outcome arrived after the window. It is not used.
        missing: Requests without an outcome.
        settling: Requests that were sent while weights were changing. They are not used.
        fixed: Requests whose variant was certain, as at a share of 0 or 1. They are not used.
    """

    outcomes: tuple[Observation, ...] = ()
    reported: tuple[Observation, ...] = ()
    until: float = float("-inf")
    pending: int = 0
    late: int = 0
    missing: int = 0
    settling: int = 0
    fixed: int = 0


@dataclass
class _Found:
    outcomes: list[Observation] = field(default_factory=list)
    reported: list[Observation] = field(default_factory=list)
    late: int = 0
    missing: int = 0

    def add(self, record: JoinedRecord, window: float) -> None:
        """Take a request that is old enough."""
        arrived = record.outcome_time if record.outcome is not None else None
        in_time = arrived is not None and arrived <= record.time + window
        self.late += arrived is not None and not in_time
        self.missing += arrived is None
        self.reported.append(Observation(record.challenger, record.share, int(in_time)))
        if in_time and record.outcome is not None:
            self.outcomes.append(Observation(record.challenger, record.share, record.outcome))


def mature(
    records: Iterable[JoinedRecord],
    window: float,
    now: float,
    *,
    after: float = float("-inf"),
    settling: Sequence[tuple[float, float]] = (),
) -> Matured:
    """Return the requests that count now and did not count at the last look.

    Args:
        records: The joined records, in any order, each inference id once; those before ``after`` may be left out.
        window: The maturity window in seconds: the greatest stated delay of an outcome.
        now: The time of this look, in seconds.
        after: ``until`` of the last look.
        settling: Begin and end of each change of weights, the stated time of settling included.
    """
    until = max(after, now - window)
    found = _Found()
    pending = unsettled = fixed = 0
    for record in sorted(records, key=lambda record: (record.time, record.inference_id)):
        if record.time <= after:
            continue
        if record.time > until:
            pending += 1
        elif any(begin <= record.time <= end for begin, end in settling):
            unsettled += 1
        elif not 0.0 < record.share < 1.0:
            fixed += 1
        else:
            found.add(record, window)
    return Matured(
        tuple(found.outcomes), tuple(found.reported), until, pending, found.late, found.missing, unsettled, fixed
    )
