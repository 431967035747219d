"""The usual ways: a threshold of the population stability index, and a Kolmogorov-Smirnov test, at each window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PSI_THRESHOLD = 0.2
_BINS, _EMPTY = 10, 1e-4


class Rivals:
    """Both ways for the columns of one stream; the test at a level that the features share."""

    def __init__(self, columns: Sequence[Any], level: float) -> None:
        self._level = level / len(columns)
        self._columns = [
            column if isinstance(column, list) else np.sort(column[~np.isnan(column)]) for column in columns
        ]
        self._totals = [len(column) for column in columns]

    def psi_alarm(self, columns: Sequence[Any]) -> bool:
        """Whether the index of any feature is above the threshold."""
        return any(
            _psi(*self._shares(old, total, new)) > PSI_THRESHOLD
            for old, total, new in zip(self._columns, self._totals, columns, strict=True)
        )

    def ks_alarm(self, columns: Sequence[Any]) -> bool:
        """Whether the test of any feature of numbers is significant."""
        return any(
            ks_p_value(old, np.sort(new[~np.isnan(new)])) < self._level
            for old, new in zip(self._columns, columns, strict=True)
            if not isinstance(old, list)
        )

    def _shares(self, old: Any, total: int, new: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if isinstance(old, list):
            names = sorted({*old, *new})
            counts = [[column.count(name) for name in names] for column in (old, new)]
            return np.array(counts[0]) / len(old), np.array(counts[1]) / len(new)
        edges = np.unique(np.quantile(old, np.linspace(0.0, 1.0, _BINS + 1)[1:-1]))
        found = new[~np.isnan(new)]
        before = [*np.bincount(np.searchsorted(edges, old), minlength=len(edges) + 1), total - len(old)]
        after = [*np.bincount(np.searchsorted(edges, found), minlength=len(edges) + 1), len(new) - len(found)]
        return np.array(before) / total, np.array(after) / len(new)


def _psi(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    old, new = np.maximum(before, _EMPTY), np.maximum(after, _EMPTY)
    return float(np.sum((new - old) * np.log(new / old)))


def ks_p_value(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the asymptotic p-value of the two-sample test, for sorted samples."""
    both = np.concatenate([first, second])
    shares = [np.searchsorted(one, both, side="right") / len(one) for one in (first, second)]
    size = math.sqrt(len(first) * len(second) / (len(first) + len(second)))
    scaled = size * float(np.max(np.abs(shares[0] - shares[1])))
    if scaled < 0.2:
        return 1.0
    return 2.0 * sum((-1.0) ** (term - 1) * math.exp(-2.0 * (term * scaled) ** 2) for term in range(1, 101))
