"""What the benchmark computes for many tests at once is what the shipped modules compute for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judge_ab_test import difference, superiority
from judge_ab_test.counts import Segment, Tally
from judge_ab_test.forecast import estimate

from ab_benchmark.simulation import LEVEL, MINIMUM_SAMPLE
from handler_kit.ab_plan import Metric, Plan

if TYPE_CHECKING:
    from ab_benchmark.simulation import Cell, Kept

TOLERANCE = 1e-9


class AgreementError(Exception):
    """The benchmark does not measure what is shipped."""


def compare(cell: Cell, kept: list[Kept]) -> int:
    """Compare the e-values of some tests. Raises AgreementError; returns the number of tests that are equal."""
    for run in kept:
        tally, plan = _tally(cell, run), _plan(cell)
        shipped = superiority.e_values(tally, plan)
        ours, theirs = [run.log_better, run.log_worse], [shipped.log_better, shipped.log_worse]
        if run.log_difference is not None:
            ours.append(run.log_difference)
            theirs.append(difference.log_e_value(tally, plan, cell.difference, difference.EQUAL))
        if max(abs(first - second) for first, second in zip(ours, theirs, strict=True)) > TOLERANCE:
            raise AgreementError(f"{cell}: the log e-values are {ours} here and {theirs} in the shipped modules")
    return len(kept)


def width(cell: Cell, run: Kept) -> float | None:
    """Return the width of the shipped interval of one test."""
    tally = _tally(cell, run)
    found = estimate(tally).difference
    interval = None if found is None else difference.interval(tally, _plan(cell), found)
    return None if interval is None else interval.high - interval.low


def _plan(cell: Cell) -> Plan:
    return Plan(
        metric=Metric(name="success"),
        challenger_weight=cell.share,
        level=LEVEL,
        minimum_sample=MINIMUM_SAMPLE,
        maturity_window_in_seconds=0.0,
    )


def _tally(cell: Cell, run: Kept) -> Tally:
    segments = (
        Segment(epoch, cell.share, (counts[0], counts[1]), (counts[2], counts[3]))
        for epoch, counts in enumerate(run.epochs)
        if sum(counts)
    )
    return Tally(MINIMUM_SAMPLE, 2, tuple(segments))
