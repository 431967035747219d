"""The e-variables are exact: their expectations are enumerated, not simulated."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from judge_ab_test import bounded_mean, difference, sample_ratio, superiority
from judge_ab_test.counts import Segment, Tally
from judge_ab_test.rates import half_prior

from handler_kit.ab_plan import Metric, Plan, Prior

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Few effects, as the expectation of a mixture is the mixture of the expectations.
PRIOR = Prior(effects=6, bets=3, shifts=4, bins=3)
PLAN = Plan(
    metric=Metric(name="success"),
    challenger_weight=0.1,
    minimum_sample=2,
    maturity_window_in_seconds=3600.0,
    prior=PRIOR,
)
SHARES = (0.5, 0.1, 0.01)
RATES = (0.5, 0.9, 0.999)
CENTRES = (0.3, 0.9, 0.9995)


def counted(total: int, chances: Sequence[float]) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield every way to count ``total`` outcomes, with its probability."""
    if len(chances) == 1:
        yield (total,), chances[0] ** total
        return
    for first in range(total + 1):
        chance = math.comb(total, first) * chances[0] ** first
        for rest, others in counted(total - first, chances[1:]):
            yield (first, *rest), chance * others


def chances(share: float, champion: Sequence[float], challenger: Sequence[float]) -> list[float]:
    """Give the probability of each outcome: first the champion's, then the challenger's."""
    return [*((1.0 - share) * chance for chance in champion), *(share * chance for chance in challenger)]


def binary(share: float, champion: float, challenger: float) -> list[float]:
    """Give the probabilities for two success rates."""
    return chances(share, (1.0 - champion, champion), (1.0 - challenger, challenger))


def segment(epoch: int, share: float, counts: tuple[int, ...]) -> Segment:
    """Make a segment of the counts of both variants."""
    return Segment(epoch, share, counts[: len(counts) // 2], counts[len(counts) // 2 :])


def epochs(
    sizes: Sequence[tuple[int, float]], of_share: Callable[[float], list[float]]
) -> Iterator[tuple[tuple[Segment, ...], float]]:
    """Yield every test whose epochs have these sizes and shares, with its probability."""
    if not sizes:
        yield (), 1.0
        return
    for before, chance in epochs(sizes[:-1], of_share):
        total, share = sizes[-1]
        for counts, probability in counted(total, of_share(share)):
            yield (*before, segment(len(sizes) - 1, share, counts)), chance * probability


def expectation(
    sizes: Sequence[tuple[int, float]],
    of_share: Callable[[float], list[float]],
    log_e: Callable[[Tally], float],
    bins: int = 2,
) -> float:
    """Return the mean of an e-value over every test."""
    return math.fsum(
        math.exp(log_e(Tally(PLAN.minimum_sample, bins, segments))) * chance
        for segments, chance in epochs(sizes, of_share)
    )


@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("share", SHARES)
def test_the_expectation_is_1_without_a_difference_whatever_the_rate(share: float, centre: float) -> None:
    effects = half_prior(PRIOR, share, centre)
    tests = [counts for counts, _ in counted(12, binary(share, 0.5, 0.5))]
    for sign in (1.0, -1.0):
        e = [math.exp(superiority.mixture([(segment(0, share, counts), centre)], effects, sign)) for counts in tests]
        for rate in RATES:
            assert mean(e, share, rate, rate) == pytest.approx(1.0, abs=1e-12)
            # The half that bets on the challenger is at most 1 wherever it is not better, and the other way about.
            assert mean(e, share, *(rate, 0.8 * rate)[:: int(sign)]) < 1.0


def mean(e: Sequence[float], share: float, champion: float, challenger: float) -> float:
    """Return the mean of e-values that belong to the ways to count 12 outcomes."""
    found = counted(12, binary(share, champion, challenger))
    return math.fsum(value * chance for value, (_, chance) in zip(e, found, strict=True))


def test_the_expectation_is_above_1_where_there_is_a_difference() -> None:
    effects = half_prior(PRIOR, 0.5, 0.7)
    tests = [segment(0, 0.5, counts) for counts, _ in counted(12, binary(0.5, 0.5, 0.5))]
    e = [math.exp(superiority.mixture([(each, 0.7)], effects, 1.0)) for each in tests]
    assert mean(e, 0.5, 0.6, 0.8) > 1.2


@pytest.mark.parametrize("rate", [0.3, 0.9])
def test_the_expectation_stays_1_when_the_centre_is_renewed_and_the_weights_change(rate: float) -> None:
    better, worse = [], []
    for segments, chance in epochs([(2, 0.1), (2, 0.1), (3, 0.3)], lambda share: binary(share, rate, rate)):
        found = superiority.e_values(Tally(2, 2, segments), PLAN)
        better.append(chance * math.exp(found.log_better))
        worse.append(chance * math.exp(found.log_worse))
    assert math.fsum(better) == pytest.approx(1.0, abs=1e-12)
    assert math.fsum(worse) == pytest.approx(1.0, abs=1e-12)


def test_a_half_is_at_most_1_where_its_own_outcomes_set_the_centre() -> None:
    def log_better(tally: Tally) -> float:
        return superiority.e_values(tally, PLAN).log_better

    assert expectation([(2, 0.1), (2, 0.1)], lambda share: binary(share, 0.9, 0.6), log_better) < 1.0


@pytest.mark.parametrize("champion", [0.25, 0.9, 0.99])
@pytest.mark.parametrize("d", [-0.1, 0.0, 0.005])
@pytest.mark.parametrize(
    ("hypothesis", "inside"), [(difference.EQUAL, 0.0), (difference.AT_MOST, -0.04), (difference.AT_LEAST, 0.004)]
)
def test_against_a_difference_the_expectation_is_at_most_1_at_it_and_beyond(
    hypothesis: str, inside: float, d: float, champion: float
) -> None:
    for true in {d, d + inside}:
        assert against(d, hypothesis, champion, champion + true) <= 1.0 + 1e-12


def against(d: float, hypothesis: str, champion: float, challenger: float) -> float:
    """Return the expectation of the evidence against a hypothesis on the difference."""
    return expectation(
        [(2, 0.3), (3, 0.3)],
        lambda share: binary(share, champion, challenger),
        lambda tally: difference.log_e_value(tally, PLAN, d, hypothesis),
    )


def test_against_a_difference_the_expectation_is_above_1_on_the_other_side() -> None:
    assert against(-0.1, difference.AT_MOST, 0.8, 0.9) > 1.0
    assert against(-0.1, difference.AT_LEAST, 0.8, 0.3) > 1.0
    assert against(-0.1, difference.EQUAL, 0.8, 0.9) > 1.0


def test_the_first_outcomes_are_no_evidence_against_another_difference() -> None:
    first = (segment(0, 0.5, (1, 99, 60, 40)),)
    tally = Tally(200, 2, first)
    assert superiority.e_values(tally, PLAN).log_worse > 3.0
    assert difference.log_harm(tally, PLAN, 0.01) == 0.0


def test_a_mean_is_tested_exactly_whatever_the_distributions_are() -> None:
    # Both means are 0.5, one without spread.
    def of_share(share: float) -> list[float]:
        return chances(share, (0.0, 1.0, 0.0), (0.5, 0.0, 0.5))

    def against_mean(d: float, hypothesis: str) -> float:
        sizes = [(2, 0.3), (2, 0.3), (1, 0.5)]
        return expectation(sizes, of_share, lambda t: bounded_mean.log_e_value(t, PLAN, d, hypothesis), bins=3)

    for hypothesis in (difference.EQUAL, difference.AT_MOST, difference.AT_LEAST):
        assert against_mean(0.0, hypothesis) == pytest.approx(1.0, abs=1e-12)
    assert against_mean(0.2, difference.AT_MOST) < 1.0 < against_mean(-0.2, difference.AT_MOST)


def test_the_sample_ratio_has_the_expectation_1_at_the_stated_share_only() -> None:
    def mismatch(true: float) -> float:
        found = counted(12, (1.0 - true, true))
        return math.fsum(math.exp(sample_ratio.log_mismatch({0.1: pair}, PRIOR)) * chance for pair, chance in found)

    assert mismatch(0.1) == pytest.approx(1.0, abs=1e-12)
    assert mismatch(0.3) > 1.1


def test_a_half_alone_is_not_the_level_of_both() -> None:
    larger = replace(PLAN, minimum_sample=100)
    tally = Tally(100, 2, (segment(0, 0.5, (12, 38, 2, 48)), segment(1, 0.5, (12, 38, 2, 48))))
    found = superiority.e_values(tally, larger)
    assert found.log_better > found.log_two_sided == found.log_two_sided_better > found.log_two_sided_worse
