"""Users in the place of requests, where a user stays at one variant: requests of one user are not independent.

With twenty requests of each user in a row, two of three tests without a difference give a verdict if they count
requests. If they count users, the level holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from judge_ab_test.maturity import JoinedRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def by_user(requests: Iterable[tuple[str, JoinedRecord]], horizon: float, *, mean: bool = False) -> list[JoinedRecord]:
    """Return one record for each user: whether any request failed from the first one until the horizon.

    Its variant, share and time are those of the user's first request, whichever variant responded later ("intention to
    treat"). One known failure is an outcome; without one, the outcome is a success once all of the user's outcomes are
    known. The maturity window of these records is the horizon and the window of a request together.

    Args:
        requests: The records, each with the key of its user, in any order.
        horizon: Length of the time over which a user is observed, in seconds.
        mean: Whether the outcomes are values: a user's is then the mean, once all of them are known.
    """
    found: dict[str, list[JoinedRecord]] = {}
    for user, record in requests:
        found.setdefault(user, []).append(record)
    return [
        _user(sorted(records, key=lambda record: (record.time, record.inference_id)), horizon, mean)
        for records in found.values()
    ]


def _user(records: Sequence[JoinedRecord], horizon: float, mean: bool) -> JoinedRecord:
    first = records[0]
    observed = [record for record in records if record.time <= first.time + horizon]
    known = [
        (record.outcome, record.outcome_time)
        for record in observed
        if record.outcome is not None and record.outcome_time is not None
    ]
    failures = [] if mean else [time for outcome, time in known if outcome == 0]
    outcome, outcome_time = None, None
    if failures:
        outcome, outcome_time = 0, min(failures)
    elif len(known) == len(observed):
        outcome = round(sum(bin_ for bin_, _ in known) / len(known)) if mean else 1
        outcome_time = max(time for _, time in known)
    return JoinedRecord(first.inference_id, first.time, first.challenger, first.share, outcome, outcome_time)
