"""CloudWatch's statistics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.cloudwatch.metrics import Values

Statistic = Callable[["Values"], float]

_NUMBER = r"\d+(?:\.\d{1,10})?"
_SHARE = r"(?:100|\d{1,2})(?:\.\d{0,10})?"
_SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda values: float(values.count),
    "Average": lambda values: values.total / values.count,
    "Sum": lambda values: values.total,
    "Minimum": lambda values: values.smallest,
    "Maximum": lambda values: values.largest,
}
_PERCENTILE = re.compile(rf"p({_SHARE})")
_BETWEEN = re.compile(rf"(TC|PR)\(({_NUMBER})?:({_NUMBER})?\)")
# What CloudWatch has beside them: boundaries in percent, means and sums of trimmed or winsorized data.
_OTHERS = re.compile(
    rf"IQM|(?:tm|tc|ts|wm){_SHARE}"
    rf"|(?:TM|TC|TS|WM)\((?:{_SHARE}%)?:(?:{_SHARE}%)?\)|(?:TM|TS|WM)\((?:{_NUMBER})?:(?:{_NUMBER})?\)"
)


def is_statistic(name: str) -> bool:
    """Whether CloudWatch has a statistic."""
    if name in _SIMPLE:
        return True
    percentile, between = _PERCENTILE.fullmatch(name), _BETWEEN.fullmatch(name)
    if percentile is not None:
        return float(percentile[1]) <= 100
    if between is not None:
        return _is_interval(between[2], between[3])
    return _OTHERS.fullmatch(name) is not None and "(:)" not in name


def statistic(name: str) -> Statistic:
    """The function of a statistic that CloudWatch has.

    Raises `AwsError` NotImplementedException for one that the local AWS has not.
    """
    if name in _SIMPLE:
        return _SIMPLE[name]
    percentile, between = _PERCENTILE.fullmatch(name), _BETWEEN.fullmatch(name)
    if percentile is not None:
        share = float(percentile[1]) / 100
        return lambda values: _quantile(values, share)
    if between is None:
        raise AwsError("NotImplementedException", f"the local AWS does not implement the statistic {name}", 501)
    kind, low, high = between.groups()
    least, most = float(low) if low else -math.inf, float(high) if high else math.inf
    if kind == "TC":
        return lambda values: float(_count(values, least, most))
    return lambda values: 100 * _count(values, least, most) / values.count


def _is_interval(low: str | None, high: str | None) -> bool:
    if low is None or high is None:
        return low is not high
    return float(low) < float(high)


def _quantile(values: Values, share: float) -> float:
    """The smallest value that a share of the values does not exceed."""
    wanted = max(1, math.ceil(share * values.count))
    seen = 0
    for value in sorted(values.counts):
        seen += values.counts[value]
        if seen >= wanted:
            return min(value, values.largest)
    return values.largest


def _count(values: Values, least: float, most: float) -> int:
    """How many values are above the lower boundary, up to the upper one."""
    return sum(count for value, count in values.counts.items() if least < value <= most)
