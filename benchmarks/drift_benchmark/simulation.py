"""One stream, watched in three ways."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from watch_traffic.baseline import baseline
from watch_traffic.plan import HOUR, Plan
from watch_traffic.watch import Watch

from drift_benchmark.rivals import Rivals
from drift_benchmark.streams import SHIFT_ROWS, WINDOW, changing, still

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drift_benchmark.streams import Kind, Shift, Source

LEVEL = 0.05
# What is found: enough evidence; an alarm, which also needs the effect size; the usual ways.
EVIDENCE, ALARM, PSI, KS = "evidence", "alarm", "psi", "ks"
METHODS = (EVIDENCE, ALARM, PSI, KS)


@dataclass(frozen=True)
class Found:
    """After how many records of the stream each method found drift first; None if it did not."""

    first: dict[str, int | None]


def without_drift(kind: Kind, seed: list[int]) -> Found:
    """Watch a stream that is like the training data."""
    generator = np.random.default_rng(seed)
    trained = kind.source(generator, kind.rows, math.nan)
    plan = Plan(level=LEVEL, salt=_salt(seed), min_hours=kind.min_hours)
    return _watched(trained, still(kind, generator), plan, kind.records)


def with_shift(shift: Shift, quiet: int, seed: list[int]) -> Found:
    """Watch a stream that changes after ``quiet`` records; the count begins with the change."""
    generator = np.random.default_rng(seed)
    trained = shift.source(generator, SHIFT_ROWS, 0.0)
    found = _watched(trained, changing(shift, quiet, generator), Plan(level=LEVEL, salt=_salt(seed)), quiet)
    return Found({name: None if first is None else first - quiet for name, first in found.first.items()})


def _watched(trained: list[Any], windows: Iterable[list[Any]], plan: Plan, quiet: int) -> Found:
    names = [str(place) for place in range(len(trained))]
    watch = Watch.of(baseline(names, zip(*map(_plain, trained), strict=True), plan.salt), plan)
    rivals = Rivals(trained, plan.level)
    first: dict[str, int | None] = dict.fromkeys(METHODS)
    end = 0
    for hour, columns in enumerate(windows):
        watch.add(hour * HOUR, dict(zip(names, map(_plain, columns), strict=True)))
        end += WINDOW
        findings = watch.findings()
        shown = [one.shown.records for one in findings if one.shown is not None]
        first[EVIDENCE] = min(shown) if shown else None
        for name, rings in (
            (ALARM, any(one.alarm for one in findings)),
            (PSI, first[PSI] is None and rivals.psi_alarm(columns)),
            (KS, first[KS] is None and rivals.ks_alarm(columns)),
        ):
            if rings and first[name] is None:
                first[name] = end
        if None not in first.values() or (None not in (first[EVIDENCE], first[ALARM]) and quiet < end):
            break
    return Found(first)


def _salt(seed: list[int]) -> str:
    return " ".join(map(str, seed))


def _plain(column: Any) -> list[Any]:
    return column if isinstance(column, list) else column.tolist()


def seconds_per_thousand(features: int, records: int, kind: Source) -> float:
    """Return the processor time to watch 1,000 records with so many features of one kind, given as text."""
    generator = np.random.default_rng(1)
    names = [str(place) for place in range(features)]
    trained = [_plain(kind(generator, 2_000, math.nan)[0]) for _ in names]
    watch = Watch.of(baseline(names, zip(*trained, strict=True)), Plan())
    columns = {name: [str(value) for value in _plain(kind(generator, records, 0.0)[0])] for name in names}
    begin = time.process_time()
    watch.add(0.0, columns)
    watch.findings()
    return (time.process_time() - begin) * 1_000.0 / records
