"""Judging an A/B test: counts, which requests count, first crossings, intervals, and what follows from them."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from judge_ab_test import bounded_mean, difference, superiority
from judge_ab_test.counts import Observation, Segment, Tally
from judge_ab_test.decision import ABORT, BETTER, CONTINUE, END, INCONCLUSIVE, INVESTIGATE, PROMOTE, TOO_EARLY, WORSE
from judge_ab_test.forecast import estimate, forecast, growth
from judge_ab_test.judge import Report, State, judge, look
from judge_ab_test.maturity import JoinedRecord, Matured, mature
from judge_ab_test.rates import half_prior, pair
from judge_ab_test.sample_ratio import assigned
from judge_ab_test.users import by_user

from handler_kit.ab_plan import MEAN, Metric, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

HOUR, DAY = 3_600.0, 86_400.0
PLAN = Plan(
    metric=Metric(name="accepted"),
    guardrails=(Metric(name="errors", tolerance=0.02), Metric(name="latency", kind=MEAN, tolerance=0.05)),
    challenger_weight=0.5,
    maturity_window_in_seconds=HOUR,
)
ALONE = replace(PLAN, guardrails=())


def drawn(total: int, champion: float, challenger: float, share: float = 0.5, last: int = 1) -> list[Observation]:
    """Give outcomes with exactly these rates; the same for every caller."""
    found = []
    for chosen, count, rate in ((False, 1.0 - share, champion), (True, share, challenger)):
        size = round(total * count)
        good = round(size * rate)
        found += [Observation(chosen, share, last)] * good + [Observation(chosen, share, 0)] * (size - good)
    random.Random(3).shuffle(found)
    return found


def judged(plan: Plan, now: float = DAY, **outcomes: Iterable[Observation]) -> tuple[State, Report]:
    """Look once at outcomes by metric, all of them reported, at the stated shares."""
    matured = {
        name: Matured(tuple(found), tuple(each._replace(bin=1) for each in found)) for name, found in outcomes.items()
    }
    joined = assigned((each.share, each.challenger) for each in next(iter(outcomes.values())))
    state = State(started=0.0).counted(plan, matured, {"joined": joined})
    return look(plan, state, now)


GOOD = {"errors": drawn(8_000, 0.99, 0.99), "latency": drawn(8_000, 0.6, 0.6, last=100)}


def test_the_order_inside_an_epoch_is_of_no_account() -> None:
    outcomes = [*drawn(300, 0.9, 0.8, share=0.1), *drawn(300, 0.9, 0.8)]
    first = Tally(200).add(outcomes)
    epochs = outcomes[:200], outcomes[200:400], outcomes[400:]
    shuffled = [each for epoch in epochs for each in reversed(epoch)]
    second = Tally(200)
    for place in range(0, 600, 7):
        second = second.add(shuffled[place : place + 7])
    assert {(s.epoch, s.share): s for s in first.segments} == {(s.epoch, s.share): s for s in second.segments}
    assert superiority.e_values(first, PLAN).log_better == pytest.approx(superiority.e_values(second, PLAN).log_better)
    other = Tally(200).add(outcomes[::-1])
    assert superiority.e_values(first, PLAN).log_better != pytest.approx(superiority.e_values(other, PLAN).log_better)


def test_the_centre_is_that_of_earlier_outcomes_and_renewed_when_they_have_doubled() -> None:
    tally = Tally(4).add(Observation(False, 0.5, int(place >= 8)) for place in range(17))
    assert tally.centres() == {0: 0.5 / 5, 1: 0.5 / 5, 2: 0.5 / 9, 3: 8.5 / 17}
    assert Tally(4).add([Observation(True, 0.5, 1)] * 3).centres() == {}


@pytest.mark.parametrize("wrong", [Observation(True, 0.0, 1), Observation(True, 1.0, 1), Observation(True, 0.5, 2)])
def test_an_outcome_that_cannot_be_is_not_counted(wrong: Observation) -> None:
    with pytest.raises(ValueError, match="must be"):
        Tally(200).add([wrong])


def test_counts_that_no_test_can_have_are_refused() -> None:
    written = Tally(200).add(drawn(500, 0.9, 0.9)).to_json()
    assert Tally.from_json(written).total == 500
    written["segments"][0][2][1] -= 1
    with pytest.raises(ValueError, match="epoch 0 has 199 outcomes"):
        Tally.from_json(written)


def test_a_million_outcomes_do_not_overflow() -> None:
    counts = (25_000, 225_000), (50_000, 200_000)
    segments = (Segment(0, 0.5, *counts), Segment(1, 0.5, *counts))
    found = superiority.e_values(Tally(500_000, 2, segments), PLAN)
    assert 9_000 < found.log_worse < 12_000
    assert found.log_better < 0.0
    assert found.log_two_sided == pytest.approx(found.log_worse - math.log(2))


def test_rates_near_0_keep_their_digits() -> None:
    rates = pair(1e-12, 0.1, 3.0)
    assert (0.9 * rates.champion + 0.1 * rates.challenger) / 1e-12 == pytest.approx(1.0, rel=1e-9)
    assert math.log(rates.challenger / rates.champion) == pytest.approx(3.0)


def test_one_outcome_in_a_thousand_is_no_evidence_and_one_in_a_hundred_is() -> None:
    same = superiority.e_values(Tally(200).add(drawn(20_000, 0.999, 0.999)), ALONE)
    other = superiority.e_values(Tally(200).add(drawn(20_000, 0.999, 0.99)), ALONE)
    assert same.log_two_sided < 0.0
    assert other.log_worse > math.log(20)


@pytest.mark.parametrize("challenger", [0.9, 0.91, 0.913, 0.915, 0.92, 0.88])
def test_the_interval_excludes_0_when_its_evidence_against_0_is_enough(challenger: float) -> None:
    tally = Tally(200).add(drawn(20_000, 0.9, challenger))
    # The verdict's evidence from the outcomes on which the interval may bet.
    centres = tally.centres()
    later = [(each, centres[each.epoch]) for each in tally.segments if each.epoch > 0]
    effects = half_prior(ALONE.prior, 0.5, centres[0])
    halves = [superiority.mixture(later, effects, sign) for sign in (1.0, -1.0)]
    against_0 = difference.log_e_value(tally, ALONE, 0.0, difference.EQUAL)
    assert against_0 == pytest.approx(math.log(0.2 + 0.4 * sum(map(math.exp, halves))), abs=1e-9)
    found = difference.interval(tally, ALONE, challenger - 0.9)
    assert found is not None
    assert (found.low <= 0.0 <= found.high) is (against_0 < math.log(20))
    assert found.low < challenger - 0.9 < found.high
    assert 0.02 < found.high - found.low < 0.035


def test_an_interval_of_a_rate_that_only_drifts_contains_0() -> None:
    # 90 % at a share of 1 %, 50 % at a share of 50 %: the pooled rates differ by a third (Simpson's paradox).
    tally = Tally(200).add([*drawn(4_000, 0.9, 0.9, share=0.01), *drawn(4_000, 0.5, 0.5)])
    found = estimate(tally)
    assert found.champion is not None
    assert found.challenger is not None
    assert found.difference == pytest.approx(0.0, abs=0.01)
    assert found.champion - found.challenger > 0.2
    interval = difference.interval(tally, PLAN, found.difference)
    assert interval is not None
    assert interval.low < 0.0 < interval.high
    assert superiority.e_values(tally, PLAN).log_two_sided < 0.0


def test_an_interval_of_latencies_is_that_of_their_means() -> None:
    assert [bounded_mean.headroom_bin(ms, 1_000.0, 101) for ms in (0.0, 120.0, 1_000.0, 9_000.0)] == [100, 88, 0, 0]
    tally = Tally(200, 101).add(drawn(10_000, 0.6, 0.7, last=100))
    found = bounded_mean.interval(tally, PLAN, 0.1)
    assert found is not None
    assert 0.05 < found.low < 0.1 < found.high < 0.15
    assert bounded_mean.e_values(tally, PLAN).log_better > math.log(20)
    assert bounded_mean.e_values(tally, PLAN).log_worse < 0.0


def record(number: int, *, after: float | None = 60.0, challenger: bool = False, share: float = 0.5) -> JoinedRecord:
    """Give a request in second ``number``, whose outcome has arrived after so many seconds."""
    if after is None:
        return JoinedRecord(f"{number:04}", float(number), challenger, share)
    return JoinedRecord(f"{number:04}", float(number), challenger, share, number % 2, number + after)


def test_a_request_counts_when_it_is_old_enough_whatever_has_arrived() -> None:
    records = [
        record(3),
        record(1, after=101.0),
        record(2, after=None, challenger=True),
        record(4, after=100.0),
        record(51),
    ]
    found = mature(records, window=100.0, now=150.0)
    assert [each.bin for each in found.outcomes] == [1, 0]
    assert [(each.challenger, each.bin) for each in found.reported] == [(False, 0), (True, 0), (False, 1), (False, 1)]
    assert (found.late, found.missing, found.pending, found.until) == (1, 1, 1, 50.0)
    # The failure that arrives later still changes nothing, and nothing counts twice.
    again = mature(records, window=100.0, now=151.0, after=found.until)
    assert [each.bin for each in again.reported] == [1]
    assert again.pending == 0


def test_requests_that_no_chance_has_assigned_do_not_count() -> None:
    records = [record(1), record(2, share=0.0), record(3, share=1.0), record(4), record(5), record(6)]
    found = mature(records, window=100.0, now=500.0, settling=[(4.0, 5.0)])
    assert (len(found.outcomes), found.fixed, found.settling) == (2, 2, 2)


def request(second: float, outcome: int | None, *, challenger: bool = True, share: float = 0.2) -> JoinedRecord:
    """Give a request with an outcome after ten seconds."""
    arrived = None if outcome is None else second + 10.0
    return JoinedRecord(f"{second:06}", second, challenger, share, outcome, arrived)


@pytest.mark.parametrize(
    ("others", "outcome", "arrived"),
    [
        ([], 1, 10.0),
        ([request(50.0, 1)], 1, 60.0),
        ([request(90.0, 0), request(50.0, 0), request(60.0, None)], 0, 60.0),
        ([request(50.0, None)], None, None),
        # After the horizon; and after the weights have moved the user to the other variant.
        ([request(101.0, 0)], 1, 10.0),
        ([request(99.0, 0, challenger=False, share=0.1)], 0, 109.0),
    ],
)
def test_a_user_has_one_outcome_of_the_first_variant(
    others: list[JoinedRecord], outcome: int | None, arrived: float | None
) -> None:
    requests = [("ann", other) for other in others] + [("ann", request(0.0, 1)), ("bob", request(7.0, 0))]
    ann, bob = sorted(by_user(requests, horizon=100.0), key=lambda record: record.time)
    assert (ann.time, ann.challenger, ann.share) == (0.0, True, 0.2)
    assert (ann.outcome, ann.outcome_time) == (outcome, arrived)
    assert (bob.time, bob.outcome) == (7.0, 0)


def test_late_failures_of_one_variant_are_an_alarm_and_no_verdict() -> None:
    chance = random.Random(1)
    records = []
    for number in range(6_000):
        challenger, success = chance.random() < 0.5, chance.random() < 0.9
        late = challenger and not success
        arrived = number + (1_000.0 if late else 1.0)
        records.append(JoinedRecord(f"{number:05}", float(number), challenger, 0.5, int(success), arrived))

    def after(window: float) -> Report:
        matured = {"accepted": mature(records, window, 6_000.0)}
        return look(ALONE, State(0.0).counted(ALONE, matured, {}), DAY)[1]

    assert after(1_000.0).decision.action == CONTINUE
    short = after(100.0)
    assert short.statements.alarms["reported: accepted"].shown
    assert short.decision.action == INVESTIGATE
    assert short.decision.reasons == (
        "accepted is reported more often for one variant than for the other, so they cannot be compared.",
    )


def test_better_and_no_guardrail_worse_is_promoted() -> None:
    _, report = judged(PLAN, accepted=drawn(8_000, 0.8, 0.9), **GOOD)
    assert (report.decision.action, report.decision.verdict) == (PROMOTE, BETTER)
    assert report.forecast.outcomes == 0


def test_better_is_not_promoted_while_a_guardrail_is_unproven() -> None:
    few = {**GOOD, "errors": drawn(300, 0.99, 0.99)}
    _, report = judged(PLAN, accepted=drawn(8_000, 0.8, 0.9), **few)
    assert (report.decision.action, report.decision.verdict) == (CONTINUE, BETTER)
    assert report.decision.reasons == ("errors is not yet shown to be no worse.",)


def test_one_guardrail_that_is_worse_aborts_a_better_challenger() -> None:
    bad = {**GOOD, "errors": drawn(8_000, 0.99, 0.94)}
    _, report = judged(PLAN, accepted=drawn(8_000, 0.8, 0.9), **bad)
    assert (report.decision.action, report.decision.verdict) == (ABORT, BETTER)
    assert report.decision.reasons == ("errors is worse by more than 0.02.",)
    assert {harm.level for harm in report.statements.harm.values()} == {0.05 / 3}


def test_a_guardrail_within_its_tolerance_does_not_abort() -> None:
    within = {**GOOD, "errors": drawn(8_000, 0.99, 0.98)}
    _, report = judged(PLAN, accepted=drawn(8_000, 0.9, 0.9), **within)
    assert report.decision.action == CONTINUE


def test_a_worse_metric_aborts() -> None:
    _, report = judged(ALONE, accepted=drawn(8_000, 0.9, 0.85))
    assert (report.decision.action, report.decision.verdict) == (ABORT, WORSE)
    assert report.decision.reasons == ("accepted is worse.",)


def test_shares_that_are_not_those_of_the_weights_stop_a_promotion() -> None:
    requests = [each._replace(share=0.4) for each in drawn(8_000, 0.8, 0.9)]
    _, report = judged(ALONE, accepted=requests)
    assert report.decision.action == INVESTIGATE
    assert "joined requests" in report.decision.reasons[0]


@pytest.mark.parametrize(("days", "action"), [(27.9, CONTINUE), (28.0, END)])
def test_an_inconclusive_test_ends_and_is_not_promoted(days: float, action: str) -> None:
    _, report = judged(ALONE, days * DAY, accepted=drawn(2_000, 0.9, 0.9))
    assert report.decision.action == action
    assert report.decision.reasons == ("accepted is not shown to be better.",)


def test_nothing_is_said_before_the_minimum_sample() -> None:
    few = [*drawn(198, 0.1, 0.9), *drawn(1, 0.1, 0.9)]
    _, report = judged(ALONE, accepted=few)
    assert (report.decision.action, report.decision.verdict) == (CONTINUE, TOO_EARLY)
    _, report = judged(ALONE, accepted=[*few, *drawn(2, 0.1, 0.9)])
    assert (report.decision.action, report.decision.verdict) == (PROMOTE, BETTER)


@pytest.mark.parametrize(("champion", "challenger"), [(0.1, 1.0), (1.0, 0.0)])
def test_nothing_is_said_before_the_minimum_of_each_variant(champion: float, challenger: float) -> None:
    _, report = judged(ALONE, accepted=drawn(1_000, champion, challenger, share=0.009))
    assert max(each.log_e for each in report.statements.different.values()) > math.log(20)
    assert (report.decision.action, report.decision.verdict) == (CONTINUE, TOO_EARLY)


def test_a_wrong_share_is_said_before_any_outcome() -> None:
    state = State(0.0).counted(ALONE, {}, {"invoked": {0.5: (400, 600)}})
    assert look(ALONE, state, HOUR)[1].decision.action == INVESTIGATE
    state = State(0.0).counted(ALONE, {}, {"invoked": {0.4: (600, 400)}})
    assert look(ALONE, state, HOUR)[1].decision.action == CONTINUE


def test_the_first_verdict_stays_when_the_evidence_falls_again_and_turns() -> None:
    state, report = judged(ALONE, accepted=drawn(1_000, 0.8, 0.9))
    first = report.statements.better.first
    state, report = look(ALONE, State.from_json(json.loads(json.dumps(state.to_json()))), 2 * DAY)
    assert report.statements.better.log_e >= math.log(20)
    assert report.statements.better.first == first
    state, report = look(
        ALONE, state.counted(ALONE, {"accepted": Matured(tuple(drawn(2_000, 0.8, 0.76)))}, {}), 3 * DAY
    )
    assert report.statements.better.log_e < math.log(20)
    assert (report.statements.better.first, report.decision.verdict) == (first, BETTER)
    assert report.decision.action == PROMOTE
    _, report = look(ALONE, state.counted(ALONE, {"accepted": Matured(tuple(drawn(9_000, 0.8, 0.7)))}, {}), 4 * DAY)
    assert report.statements.different[WORSE].shown
    assert (report.decision.action, report.decision.verdict) == (ABORT, BETTER)


def test_evidence_that_was_enough_between_two_looks_counts() -> None:
    outcomes = [*drawn(1_000, 0.8, 0.9), *drawn(3_000, 0.8, 0.76)]
    matured = {"accepted": Matured(tuple(outcomes), tuple(each._replace(bin=1) for each in outcomes))}
    state, report = judge(ALONE, State(0.0), matured, {}, DAY)
    first = report.statements.better.first
    assert first is not None
    assert 300 < first.outcomes <= 1_200
    assert report.decision.verdict == BETTER
    assert state.tallies == State(0.0).counted(ALONE, matured, {}).tallies
    # One look at the end does not find it.
    assert look(ALONE, replace(state, crossings={}), DAY)[1].decision.verdict == INCONCLUSIVE


def test_a_look_without_anything_new_changes_nothing() -> None:
    state, _ = judged(ALONE, accepted=drawn(1_000, 0.8, 0.9))
    assert judge(ALONE, state, {}, {}, 2 * DAY)[0] == state
    nothing, report = judge(PLAN, State(0.0), {}, {}, 0.0)
    assert (report.decision.action, report.decision.verdict) == (CONTINUE, TOO_EARLY)
    assert report.interval is None
    assert judge(PLAN, nothing, {}, {}, HOUR)[0] == nothing


def test_a_plan_has_a_digest_that_changes_with_everything_in_it() -> None:
    read = Plan.from_json(json.loads(json.dumps(PLAN.to_json())))
    assert read == PLAN
    assert read.sha256() == PLAN.sha256()
    changed = [
        replace(PLAN, level=0.04),
        replace(PLAN, maturity_window_in_seconds=HOUR + 1),
        replace(PLAN, prior=replace(PLAN.prior, bets=15)),
        replace(PLAN, guardrails=PLAN.guardrails[:1]),
    ]
    assert len({PLAN.sha256(), *(plan.sha256() for plan in changed)}) == 5


def test_all_that_is_wrong_with_a_plan_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"challenger_weight: must be above 0.*level: must.*errors: tolerance must"):
        replace(PLAN, challenger_weight=1.0, level=0.0, guardrails=(Metric(name="errors"),))


def test_information_goes_with_the_product_of_the_shares() -> None:
    tally = Tally(200).add(drawn(20_000, 0.9, 0.92))
    half, tenth, hundredth = (growth(tally, PLAN.metric, share) for share in (0.5, 0.1, 0.01))
    assert 2.6 < half / tenth < 3.0
    assert 23.0 < half / hundredth < 27.0
    mean = growth(Tally(200, 101).add(drawn(20_000, 0.9, 0.92, last=100)), Metric(name="m", kind=MEAN), 0.5)
    assert mean == pytest.approx(half, rel=0.05)


def test_the_forecast_says_how_much_longer_or_that_it_will_not_be() -> None:
    found = forecast(0.001, log_e=1.0, level=0.05, a_day=500.0, days_left=4.0)
    assert found.outcomes == math.ceil((math.log(20) - 1.0) / 0.001)
    assert found.days == pytest.approx(3.99, abs=0.01)
    assert found.in_time
    assert not forecast(0.001, log_e=1.0, level=0.05, a_day=500.0, days_left=3.9).in_time
    assert forecast(0.0, log_e=1.0, level=0.05, a_day=500.0, days_left=4.0).outcomes is None
    assert forecast(0.001, log_e=3.0, level=0.05, a_day=500.0, days_left=4.0).outcomes == 0
