"""What is simulated: training data, and traffic that is like it or changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Columns = list[Any]
    # Columns of so many records. The last argument is, without drift, the hour of the day (NaN for the training data,
    # which has all hours); and with drift, how far the change has come, from 0 to 1.
    Source = Callable[[np.random.Generator, int, float], Columns]

WINDOW = 500
# A gradual change is complete after so many records.
GRADUAL = 10_000


@dataclass(frozen=True)
class Kind:
    """A stream without drift.

    Attributes:
        name: Its name in the table.
        rows: Rows of the training data.
        records: Records of the traffic.
        source: Makes the columns.
        holds: Whether the records are independent, as the promise demands.
        min_hours: Of the plan.
    """

    name: str
    rows: int
    records: int
    source: Source
    holds: bool = True
    min_hours: float = 0.0


@dataclass(frozen=True)
class Shift:
    """A stream that changes.

    Attributes:
        name: Its name in the table.
        source: Makes the columns.
        gradual: Whether the change takes ``GRADUAL`` records.
        within: So many records may be needed at the median, if the change is there from the first record.
        within_late: The same after ``QUIET`` records without a change.
    """

    name: str
    source: Source
    gradual: bool
    within: int
    within_late: int


def _normal(generator: np.random.Generator, count: int, _: float) -> Columns:
    return [generator.normal(size=count)]


def _skewed(generator: np.random.Generator, count: int, _: float) -> Columns:
    return [np.exp(1.5 * generator.normal(size=count))]


def _counts(generator: np.random.Generator, count: int, _: float) -> Columns:
    found = generator.poisson(2.0, size=count).astype(float)
    return [np.where(generator.random(count) < 0.1, np.nan, found)]


def _categories(number: int) -> Source:
    shares = 1.0 / np.arange(1, number + 1)
    names = [f"category {place}" for place in range(number)]

    def source(generator: np.random.Generator, count: int, _: float) -> Columns:
        return [[names[place] for place in generator.choice(number, size=count, p=shares / shares.sum())]]

    return source


def _many(generator: np.random.Generator, count: int, _: float) -> Columns:
    common = generator.normal(size=(count, 1))
    return list((common + generator.normal(size=(count, 20))).T)


def _users(generator: np.random.Generator, count: int, _: float) -> Columns:
    """Twenty records of each user in a row, half of whose variance is that of the users."""
    users = np.repeat(generator.normal(size=count // 20), 20)
    return [(users + generator.normal(size=len(users))) / np.sqrt(2.0)]


def _thinned(generator: np.random.Generator, count: int, hour: float) -> Columns:
    return [_users(generator, count, hour)[0][::20]]


def _day(generator: np.random.Generator, count: int, hour: float) -> Columns:
    hours = generator.random(count) * 24.0 if np.isnan(hour) else hour
    return [generator.normal(size=count) + 0.4 * np.sin(2.0 * np.pi * hours / 24.0)]


KINDS = (
    Kind("normal numbers", 2_000, 10_000, _normal),
    Kind("skewed numbers", 2_000, 10_000, _skewed),
    Kind("counts, 10 % missing", 2_000, 10_000, _counts),
    Kind("8 categories", 2_000, 10_000, _categories(8)),
    Kind("100 rows, numbers", 100, 10_000, _normal),
    Kind("100 rows, 50 categories", 100, 10_000, _categories(50)),
    Kind("20 correlated features", 1_000, 3_000, _many),
    Kind("20 records of each user", 2_000, 10_000, _users, holds=False),
    Kind("1 of 20 of each user", 2_000, 10_000, _thinned),
    Kind("by hour", 2_000, 30_000, _day, holds=False),
    Kind("by hour, min_hours=24", 2_000, 30_000, _day, holds=False, min_hours=24.0),
)


def _moved(by: float) -> Source:
    return lambda generator, count, part: [generator.normal(size=count) + by * part]


def _wider(generator: np.random.Generator, count: int, part: float) -> Columns:
    return [generator.normal(size=count) * (1.0 + 0.5 * part)]


def _missing(generator: np.random.Generator, count: int, part: float) -> Columns:
    return [np.where(generator.random(count) < 0.05 * part, np.nan, generator.normal(size=count))]


def _drawn(before: Sequence[float], after: Sequence[float]) -> Source:
    def source(generator: np.random.Generator, count: int, part: float) -> Columns:
        shares = (1.0 - part) * np.array(before) + part * np.array(after)
        return [[f"class {place}" for place in generator.choice(len(shares), size=count, p=shares)]]

    return source


def _probabilities(generator: np.random.Generator, count: int, part: float) -> Columns:
    return [1.0 / (1.0 + np.exp(-(2.0 * generator.normal(size=count) + 0.5 * part)))]


SHIFTS = (
    Shift("mean + 0.1 sd", _moved(0.1), False, 2_500, 6_000),
    Shift("mean + 0.25 sd", _moved(0.25), False, 500, 1_000),
    Shift("mean + 0.5 sd", _moved(0.5), False, 200, 350),
    Shift("sd x 1.5", _wider, False, 200, 350),
    Shift("new category, 5 %", _drawn((0.5, 0.3, 0.2, 0.0), (0.475, 0.285, 0.19, 0.05)), False, 200, 350),
    Shift("missing values, 5 %", _missing, False, 200, 350),
    Shift("class 50 % to 60 %", _drawn((0.5, 0.5), (0.6, 0.4)), False, 800, 1_750),
    Shift("log odds + 0.25 sd", _probabilities, False, 500, 1_000),
    Shift("mean to + 0.5 sd, gradual", _moved(0.5), True, 4_000, 5_000),
)
SHIFT_ROWS, QUIET, CHANGED = 10_000, 10_000, 10_000


def still(kind: Kind, generator: np.random.Generator) -> Iterator[Columns]:
    """Yield the columns of each window, an hour, of a stream without drift."""
    for hour in range(kind.records // WINDOW):
        yield kind.source(generator, WINDOW, float(hour))


def changing(shift: Shift, quiet: int, generator: np.random.Generator) -> Iterator[Columns]:
    """Yield the columns of each window; the change begins after ``quiet`` records."""
    for start in range(0, quiet + CHANGED, WINDOW):
        part = min(1.0, (start - quiet + WINDOW / 2) / GRADUAL) if shift.gradual else 1.0
        yield shift.source(generator, WINDOW, part if start >= quiet else 0.0)
