"""The accuracy that is expected without outcomes, where a model says how sure it is.

If the probability that a prediction is right depends on the model's confidence as it did in the validation channel, the
mean of these probabilities is the expected accuracy of any records: NannyML's confidence-based performance estimation
(CBPE), for accuracy. Confidence is the probability of the predicted class. It sees what more difficult records do to
the accuracy. It does not see that the same records now have other outcomes: only outcomes show this (see ``quality``).
https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MIN_RECORDS, MAX_BINS = 20, 20


class Expected(NamedTuple):
    """The expected accuracy, and the standard error that a sample of so many validation records leaves."""

    accuracy: float
    error: float


@dataclass(frozen=True)
class Calibration:
    """
    Attributes:
        edges: The largest confidence of each bin but the last one.
        right: How many predictions of each bin were right.
        totals: How many predictions there were.
    """

    edges: tuple[float, ...]
    right: tuple[int, ...]
    totals: tuple[int, ...]

    @classmethod
    def of(cls, validated: Iterable[tuple[float, bool]]) -> Calibration:
        """Return the calibration of predictions with known outcomes.

        Bins of equal size are joined until more confidence is never less often right: isotonic regression, by pooling
        adjacent violators.

        Args:
            validated: The confidence of each prediction, and whether it was right.

        Raises:
            ValueError: If there are too few of them.
        """
        ordered = sorted(validated)
        if len(ordered) < MIN_RECORDS:
            raise ValueError(f"validated: must be at least {MIN_RECORDS}, got {len(ordered)}")
        bins: list[tuple[float, int, int]] = []
        for high, right, total in _groups(ordered, min(MAX_BINS, len(ordered) // MIN_RECORDS)):
            joined = high, right, total
            while bins and bins[-1][1] * joined[2] >= joined[1] * bins[-1][2]:
                _, before, records = bins.pop()
                joined = high, before + joined[1], records + joined[2]
            bins.append(joined)
        return cls(tuple(one[0] for one in bins[:-1]), tuple(one[1] for one in bins), tuple(one[2] for one in bins))

    def expected(self, confidences: Sequence[float]) -> Expected | None:
        """Return the expected accuracy of predictions with these confidences; None if there is none."""
        return self.expected_of(self.counts(confidences))

    def counts(self, confidences: Sequence[float]) -> list[int]:
        """Return how many predictions with these confidences are in each bin."""
        counts = [0] * len(self.totals)
        for confidence in confidences:
            counts[bisect_left(self.edges, confidence)] += 1
        return counts

    def expected_of(self, counts: Sequence[int]) -> Expected | None:
        """Return the expected accuracy of predictions with so many in each bin; None if there is none."""
        records = sum(counts)
        if not records:
            return None
        accuracy, variance = 0.0, 0.0
        for count, right, total in zip(counts, self.right, self.totals, strict=True):
            share, rate = count / records, (right + 0.5) / (total + 1.0)
            accuracy += share * right / total
            # The error of the calibration, and chance in the outcomes of the records themselves.
            variance += rate * (1.0 - rate) * (share * share / total + share / records)
        return Expected(accuracy, math.sqrt(variance))

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON."""
        return {"edges": list(self.edges), "right": list(self.right), "totals": list(self.totals)}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Calibration:
        """Read what ``to_json`` has written."""
        return cls(tuple(written["edges"]), tuple(written["right"]), tuple(written["totals"]))


def _groups(ordered: Sequence[tuple[float, bool]], count: int) -> list[tuple[float, int, int]]:
    """Return the largest confidence, right and all predictions of about equal groups; ties stay together."""
    found: list[tuple[float, int, int]] = []
    start = 0
    for place in range(1, count + 1):
        end = len(ordered) * place // count
        while end < len(ordered) and ordered[end][0] == ordered[end - 1][0]:
            end += 1
        if end > start:
            found.append((ordered[end - 1][0], sum(right for _, right in ordered[start:end]), end - start))
            start = end
    return found
