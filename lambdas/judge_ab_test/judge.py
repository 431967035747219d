"""One look at a test: the outcomes that have become old enough are counted, and everything is judged again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from handler_kit.ab_plan import RATE, Metric, Plan
from judge_ab_test import bounded_mean, difference, superiority
from judge_ab_test.counts import Tally
from judge_ab_test.decision import (
    BETTER,
    MISMATCHES,
    WORSE,
    Crossing,
    Decision,
    Statement,
    Statements,
    crossings_from_json,
    crossings_to_json,
    decide,
    reported,
)
from judge_ab_test.forecast import SECONDS_A_DAY, Estimate, Forecast, estimate, forecast, growth
from judge_ab_test.maturity import Matured
from judge_ab_test.sample_ratio import log_mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from judge_ab_test.counts import Observation
    from judge_ab_test.difference import Interval
    from judge_ab_test.superiority import EValues

Assigned = dict[float, tuple[int, int]]
# What matures between two calls is judged in up to so many pieces, of at least so many outcomes.
LOOKS, OUTCOMES_A_LOOK = 25, 20


@dataclass(frozen=True, slots=True)
class State:
    """What is kept between looks: counts, and the first crossings.

    Attributes:
        started: When the test began, in seconds.
        tallies: Counts by metric, and by ``reported(metric)`` whether its outcomes were reported.
        assigned: Requests of champion and challenger by share, for each of MISMATCHES.
        crossings: First crossings by statement.
    """

    started: float
    tallies: Mapping[str, Tally] = field(default_factory=lambda: MappingProxyType({}))
    assigned: Mapping[str, Assigned] = field(default_factory=lambda: MappingProxyType({}))
    crossings: Mapping[str, Crossing] = field(default_factory=lambda: MappingProxyType({}))

    def counted(self, plan: Plan, matured: Mapping[str, Matured], assigned: Mapping[str, Assigned]) -> State:
        """Return the state with what has matured since the last look, by metric, and with all requests by share.

        ``assigned`` replaces what was known, as requests are counted at once; outcomes are added.
        """
        tallies = dict(self.tallies)
        for metric in plan.metrics:
            found = matured.get(metric.name, Matured())
            tally = tallies.get(metric.name, Tally(plan.minimum_sample, plan.bins(metric)))
            tallies[metric.name] = tally.add(found.outcomes)
            arrived = tallies.get(reported(metric.name), Tally(plan.minimum_sample))
            tallies[reported(metric.name)] = arrived.add(found.reported)
        return replace(self, tallies=tallies, assigned={**self.assigned, **assigned})

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON."""
        return {
            "started": self.started,
            "tallies": {name: tally.to_json() for name, tally in self.tallies.items()},
            "assigned": {
                name: [[share, *counts] for share, counts in found.items()] for name, found in self.assigned.items()
            },
            "crossings": crossings_to_json(self.crossings),
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> State:
        """Read what ``to_json`` has written."""
        return cls(
            started=written["started"],
            tallies={name: Tally.from_json(tally) for name, tally in written["tallies"].items()},
            assigned={name: {share: (a, b) for share, a, b in found} for name, found in written["assigned"].items()},
            crossings=crossings_from_json(written["crossings"]),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What a look has found.

    Attributes:
        decision: What follows from it.
        statements: The evidence for each statement.
        estimate: Means of the plan's metric, and their difference.
        interval: Differences of the metric that are not ruled out; None before there is evidence, or if all are.
        forecast: How much longer until a verdict.
    """

    decision: Decision
    statements: Statements
    estimate: Estimate
    interval: Interval | None
    forecast: Forecast


def judge(
    plan: Plan, state: State, matured: Mapping[str, Matured], assigned: Mapping[str, Assigned], now: float
) -> tuple[State, Report]:
    """Count what has matured since the last look, in pieces, and judge after each piece as well as at the end.

    A test that is looked at once an hour is then judged nearly as if it were looked at after each outcome: evidence
    that was enough in between counts, and a verdict comes sooner.

    Args:
        plan: The test's plan.
        state: The state after the last look.
        matured: By metric, what has become old enough since then.
        assigned: For each of MISMATCHES, all requests so far of champion and challenger by share.
        now: The time of this look, in seconds.
    """
    for piece in _pieces(matured):
        state, _ = _crossed(plan, state.counted(plan, piece, {}), now)
    return look(plan, state.counted(plan, {}, assigned), now)


def _pieces(matured: Mapping[str, Matured]) -> Iterator[dict[str, Matured]]:
    """Yield what has matured in up to LOOKS pieces, each in its order."""
    longest = max((len(found.reported) for found in matured.values()), default=0)
    number = min(LOOKS, math.ceil(longest / OUTCOMES_A_LOOK))
    for place in range(number):
        yield {
            name: replace(
                found,
                outcomes=_part(found.outcomes, place, number),
                reported=_part(found.reported, place, number),
            )
            for name, found in matured.items()
        }


def _part(observations: tuple[Observation, ...], place: int, number: int) -> tuple[Observation, ...]:
    return observations[len(observations) * place // number : len(observations) * (place + 1) // number]


def look(plan: Plan, state: State, now: float) -> tuple[State, Report]:
    """Judge the counts; return the state with the crossings of this look, and the report."""
    state, statements = _crossed(plan, state, now)
    tally = state.tallies[plan.metric.name]
    enough = _enough(tally, plan)
    days = (now - state.started) / SECONDS_A_DAY
    found = estimate(tally)
    share = tally.segments[-1].share if tally.segments else plan.challenger_weight
    left = forecast(
        growth(tally, plan.metric, share),
        _nearest_verdict(statements),
        plan.level,
        tally.total / days if days > 0.0 else 0.0,
        plan.maximum_days - days,
    )
    report = Report(
        decide(statements, plan, days, enough=enough),
        statements,
        found,
        _interval(plan, tally, found) if enough else None,
        left,
    )
    return state, report


def _crossed(plan: Plan, state: State, now: float) -> tuple[State, Statements]:
    """Return the statements, and the state with the first crossings."""
    enough = _enough(state.tallies[plan.metric.name], plan)
    statements = _statements(plan, state).looked_at(now, state.crossings, enough=enough)
    crossings = {name: statement.first for name, statement in statements.named() if statement.first is not None}
    return replace(state, crossings=crossings), statements


def _enough(tally: Tally, plan: Plan) -> bool:
    fewest = min(sum(tally.champion), sum(tally.challenger))
    return tally.total >= plan.minimum_sample and fewest >= plan.minimum_per_variant


def _statements(plan: Plan, state: State) -> Statements:
    tally = state.tallies[plan.metric.name]
    evidence = _e_values(plan.metric, tally, plan)
    harm = {plan.metric.name: Statement(evidence.log_worse, plan.harm_level, tally.total)}
    not_worse = {}
    for guardrail in plan.guardrails:
        counts = state.tallies[guardrail.name]
        test = difference.log_e_value if guardrail.kind == RATE else bounded_mean.log_e_value
        lower = test(counts, plan, -guardrail.tolerance, difference.AT_LEAST)
        harm[guardrail.name] = Statement(lower, plan.harm_level, counts.total)
        not_lower = test(counts, plan, -guardrail.tolerance, difference.AT_MOST)
        not_worse[guardrail.name] = Statement(not_lower, plan.level, counts.total)
    alarms = {}
    for name in MISMATCHES:
        counts_by_share = state.assigned.get(name, {})
        requests = sum(map(sum, counts_by_share.values()))
        alarms[name] = Statement(log_mismatch(counts_by_share, plan.prior), plan.sample_ratio_level, requests)
    for metric in plan.metrics:
        arrived = state.tallies[reported(metric.name)]
        unequal = superiority.e_values(arrived, plan).log_two_sided
        alarms[reported(metric.name)] = Statement(unequal, plan.reported_level, arrived.total)
    return Statements(
        better=Statement(evidence.log_better, plan.level, tally.total),
        different={
            BETTER: Statement(evidence.log_two_sided_better, plan.level, tally.total),
            WORSE: Statement(evidence.log_two_sided_worse, plan.level, tally.total),
        },
        harm=harm,
        not_worse=not_worse,
        alarms=alarms,
    )


def _nearest_verdict(statements: Statements) -> float:
    """Return the two-sided evidence; infinite if there is a verdict."""
    different = statements.different.values()
    return math.inf if any(s.shown for s in different) else max(s.log_e for s in different)


def _e_values(metric: Metric, tally: Tally, plan: Plan) -> EValues:
    return superiority.e_values(tally, plan) if metric.kind == RATE else bounded_mean.e_values(tally, plan)


def _interval(plan: Plan, tally: Tally, found: Estimate) -> Interval | None:
    if found.difference is None:
        return None
    inverted = difference.interval if plan.metric.kind == RATE else bounded_mean.interval
    return inverted(tally, plan, found.difference)
