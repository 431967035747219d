"""Costs grow with count, price and time, and a total is the sum of its parts."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs.prices.amounts import Amount, billed_seconds, of_instances, span, total

counts = st.integers(0, 1000)
prices = st.floats(0, 500)
hours = st.floats(0, 10_000)
seconds = st.integers(60, 2_592_000)
more = st.integers(0, 1000)


@given(least=counts, extra=more, price=prices, time=hours, grown=more)
def test_more_of_anything_never_costs_less(least: int, extra: int, price: float, time: float, grown: int) -> None:
    before = of_instances(least, least + extra, price, time)
    for after in (
        of_instances(least + grown, least + extra + grown, price, time),
        of_instances(least, least + extra, price + grown, time),
        of_instances(least, least + extra, price, time + grown),
    ):
        assert before.least <= after.least
        assert before.most <= after.most


amounts = st.builds(lambda least, extra: Amount(least, least + extra), prices, prices)


@given(parts=st.lists(amounts, max_size=9))
def test_the_total_is_the_sum_of_its_parts(parts: list[Amount]) -> None:
    found = total(parts)
    assert found is not None
    assert math.isclose(found.least, math.fsum(part.least for part in parts), abs_tol=1e-6)
    assert math.isclose(found.most, math.fsum(part.most for part in parts), abs_tol=1e-6)


@given(parts=st.lists(amounts, max_size=9), place=st.integers(0, 9))
def test_with_one_part_unknown_the_total_is_unknown(parts: list[Amount], place: int) -> None:
    assert total([*parts[:place], None, *parts[place:]]) is None


def job(runtime: int, kept: int = 0) -> dict[str, Any]:
    return {
        "ResourceConfig": {"KeepAlivePeriodInSeconds": kept},
        "StoppingCondition": {"MaxRuntimeInSeconds": runtime},
    }


def search(jobs: int, parallel: int, runtime: int) -> dict[str, Any]:
    limits = {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel, "MaxRuntimeInSeconds": runtime}
    return {"HyperParameterTuningJobConfig": {"ResourceLimits": limits}}


@given(runtime=seconds, kept=more, jobs=st.integers(1, 750), parallel=st.integers(1, 100), grown=more)
def test_a_longer_or_larger_search_is_never_billed_less(
    runtime: int, kept: int, jobs: int, parallel: int, grown: int
) -> None:
    before = billed_seconds(job(runtime, kept), search(jobs, parallel, 3600))
    assert before <= billed_seconds(job(runtime + grown, kept + grown), search(jobs, parallel, 3600))
    assert before <= billed_seconds(job(runtime, kept), search(jobs + grown, parallel, 3600))
    assert before <= billed_seconds(job(runtime, kept), search(jobs, parallel + grown, 3600 + grown))


def test_a_search_is_billed_by_its_jobs_or_by_its_own_time_whichever_ends_first() -> None:
    assert billed_seconds(job(3600), None) == 3600
    assert billed_seconds(job(3600, kept=600), None) == 4200
    assert billed_seconds(job(3600), search(10, 2, 72_000)) == 36_000
    assert billed_seconds(job(3600), search(100, 2, 7200)) == 14_400


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [(0.23, 0.46, "0.23 to 0.46 USD"), (1, 1, "1.00 USD"), (99.999, 1234.5, "100.00 to 1,234 USD")],
)
def test_an_amount_is_read_by_people(least: float, most: float, text: str) -> None:
    assert span(least, most) == text
