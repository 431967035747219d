"""What the records of the training data look like, feature by feature.

The rows are read once. Counts, means and deviations are those of all rows. Everything else is that of a random sample:
all rows of a small data set, ``SAMPLE_SIZE`` rows of a large one. The share of the sample below a value differs from
that of all rows by more than 0.0096 in at most 5 of 100 cases (Dvoretzky, Kiefer, Wolfowitz; Massart 1990). The
evidence does not depend on this error: it takes the sample for what it is, a sample.

The sample has two random parts. A quarter of it, the shape, sets the bins and what is bet on. The rest, the reference,
is what the traffic is compared with. So the bins do not depend on the records that are counted in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watch_traffic.bins import NUMBER, Bins, bins_of, histogram
from watch_traffic.column import Column, kind_of
from watch_traffic.sample import Sample
from watch_traffic.values import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SAMPLE_SIZE, SHAPE_SHARE = 20_000, 0.25
MIN_ROWS = 40
# Model Monitor has ten buckets, too.
MAX_BINS, MAX_CATEGORIES = 10, 20
# Members of a feature in ``statistics.json``.
STATISTICS = frozenset({"inferred_type", "numerical_statistics", "string_statistics"})
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Feature:
    """A feature of the training data, or the predictions for its validation channel.

    Attributes:
        name: Its name.
        bins: Its bins.
        shape: How many rows of the shape are in each bin.
        reference: How many rows of the reference are in each bin.
        means: Of numbers: the mean of the sample in each bin; 0 where there is none.
        quantiles: Of numbers: the values at ``QUANTILES``.
        statistics: Of all rows, as in Model Monitor's ``statistics.json``, without the distribution.
    """

    name: str
    bins: Bins
    shape: tuple[int, ...]
    reference: tuple[int, ...]
    means: tuple[float, ...]
    quantiles: tuple[float, ...]
    statistics: Mapping[str, Any]

    @property
    def counts(self) -> list[int]:
        """How many rows of the whole sample are in each bin."""
        return [first + second for first, second in zip(self.shape, self.reference, strict=True)]

    @property
    def deviation(self) -> float:
        """The standard deviation of the numbers; 0 for texts."""
        return float(self.statistics["numerical_statistics"]["std_dev"]) if self.bins.kind == NUMBER else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the feature as JSON."""
        return {
            "name": self.name,
            **self.statistics,
            "bins": self.bins.to_json(),
            "shape": list(self.shape),
            "reference": list(self.reference),
            "means": list(self.means),
            "quantiles": list(self.quantiles),
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Feature:
        """Read what ``to_json`` has written. Raises ValueError if it cannot be a feature."""
        bins = Bins.from_json(written["bins"])
        parts = [tuple(written[name]) for name in ("shape", "reference", "means")]
        if any(len(part) != bins.size for part in parts):
            raise ValueError(f"{written['name']}: must have {bins.size} bins")
        statistics = {
            name: written[name] for name in written if name == "inferred_type" or name.endswith("_statistics")
        }
        return cls(written["name"], bins, parts[0], parts[1], parts[2], tuple(written["quantiles"]), statistics)


@dataclass(frozen=True)
class Baseline:
    """
    Attributes:
        rows: Rows that were read.
        features: In the order of the columns.
    """

    rows: int
    features: tuple[Feature, ...]

    def with_features(self, other: Baseline) -> Baseline:
        """Return this baseline with the features of another one, such as the predictions."""
        return Baseline(self.rows, (*self.features, *other.features))


def baseline(
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    seed: str = "",
    *,
    sample_size: int = SAMPLE_SIZE,
    max_bins: int = MAX_BINS,
    max_categories: int = MAX_CATEGORIES,
) -> Baseline:
    """Return the baseline of rows, read once.

    Predictions of a model for rows that it was trained with are better than any later ones: make their baseline from
    the validation channel.

    Args:
        names: Names of the columns.
        rows: The rows, each with a value for each column.
        seed: Of the random sample; the same rows then give the same baseline.
        sample_size: Rows of the sample.
        max_bins: Bins of a feature of numbers.
        max_categories: Bins of a feature of texts.

    Raises:
        ValueError: If there are too few rows, or one with another number of values.
    """
    columns = [Column() for _ in names]
    sample = Sample(sample_size, seed)
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"row {sample.seen + 1}: must have {len(names)} values, got {len(row)}")
        sample.add(row)
        for column, value in zip(columns, row, strict=True):
            column.add(value)
    if sample.seen < MIN_ROWS:
        raise ValueError(f"rows: must be at least {MIN_ROWS}, got {sample.seen}")
    shape, reference = sample.split(SHAPE_SHARE)
    features = []
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        parts = [row[place] for row in shape], [row[place] for row in reference]
        bins = bins_of(kind_of(parts[0]), parts[0], max_bins, max_categories)
        features.append(_feature(name, column, bins, parts))
    return Baseline(sample.seen, tuple(features))


def _feature(name: str, column: Column, bins: Bins, parts: tuple[list[object], list[object]]) -> Feature:
    placed = [bins.place(part) for part in parts]
    shape, reference = (tuple(histogram(one, bins.size)) for one in placed)
    sums = [sum(both) for both in zip(placed[0].sums, placed[1].sums, strict=True)]
    counts = [sum(both) for both in zip(shape, reference, strict=True)]
    means = tuple(total / count if count else 0.0 for total, count in zip(sums, counts, strict=True))
    numbers = sorted(found for part in parts for value in part if (found := number(value)) is not None)
    quantiles: tuple[float, ...] = ()
    if bins.kind == NUMBER:
        quantiles = tuple(numbers[round(share * (len(numbers) - 1))] for share in QUANTILES)
    return Feature(name, bins, shape, reference, means, quantiles, column.statistics(bins.kind))
