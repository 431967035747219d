"""Which state an alarm has, from the data of its evaluation range.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_constructs.local_aws.service import Params

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
# Beyond EvaluationPeriods; AWS says that it looks at more data points than these, and its tables have two more.
MORE_PERIODS = 2
Threshold = Callable[[float, float], bool]
COMPARISONS: dict[str, tuple[Threshold, str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What an evaluation found.

    Attributes:
        state: The state, or None to keep the one that the alarm has.
        used: Beginning and value of the data points that decided, the newest first.
        filled: How many missing data points were treated as TreatMissingData says.
    """

    state: str | None
    used: tuple[tuple[float, float], ...]
    filled: int


def judge(alarm: Params, points: Sequence[tuple[float, float | None]]) -> Finding:
    """Decide the state.

    A range with enough data is judged by its newest data points. Otherwise all of them count, and as few missing ones
    as possible. What AWS does where nothing but a breaching data point is there, too new to decide, and missing data is
    to be ``missing``, its page does not say: the state is kept.

    Args:
        alarm: The alarm, as DescribeAlarms returns it.
        points: Beginning and value of each period of the evaluation range, the newest first; None is missing.
    """
    wanted: int = alarm["EvaluationPeriods"]
    least: int = alarm.get("DatapointsToAlarm") or wanted
    breaches, threshold = COMPARISONS[alarm["ComparisonOperator"]][0], alarm["Threshold"]
    real = [(at, value) for at, value in points if value is not None][:wanted]
    breaching = sum(breaches(value, threshold) for _, value in real)
    filled = wanted - len(real)
    treated = alarm.get("TreatMissingData") or "missing"
    if breaching + (filled if treated == "breaching" else 0) >= least:
        return Finding(ALARM, tuple(real), filled)
    if not filled or breaching < len(real) or treated in ("breaching", "notBreaching"):
        return Finding(OK, tuple(real), filled)
    if treated == "ignore":
        return Finding(None, tuple(real), filled)
    if not real:
        return Finding(INSUFFICIENT, (), filled)
    return Finding(ALARM if _is_old_enough(points, least) else None, tuple(real), filled)


def _is_old_enough(points: Sequence[tuple[float, float | None]], least: int) -> bool:
    """Whether the oldest of the data points, all breaching, is as old as DatapointsToAlarm: no newer one can help."""
    return max(number for number, (_, value) in enumerate(points, start=1) if value is not None) >= least
