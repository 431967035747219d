"""The report of a look, as JSON.

Evidence and thresholds are natural logarithms; evidence is what a look has found, whatever earlier ones had. That of
``evidence`` is what the verdict is made of: its first look at or above the threshold gives it. That of a guardrail is
what allows to abort (``harm``), and what a promotion waits for (``not_worse``). Below the plan's minimum of outcomes,
evidence gives nothing, however much it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from judge_ab_test.decision import ABORT, BETTER, INVESTIGATE, WORSE
from judge_ab_test.sentence import forecast_sentence, sentence

if TYPE_CHECKING:
    from handler_kit.ab_plan import Metric
    from judge_ab_test.facts import Facts
    from judge_ab_test.forecast import Estimate

# Each of them counts lines, requests or users that did not count.
COUNTED = (
    *("late", "repeated", "conflicting", "unknown", "missing", "duplicate_requests"),
    *("outside", "undelivered", "without_user"),
)


def action_of(facts: Facts) -> str:
    """Return what is to be done: where somebody has changed the endpoint by hand, only harm is not put off by it."""
    found = facts.judged.decision.action
    return INVESTIGATE if facts.difference and found != ABORT else found


def written(facts: Facts) -> dict[str, Any]:
    """Return the report."""
    test, judged, ledger = facts.test, facts.judged, facts.ledger
    action = action_of(facts)
    counts = {name: ledger.counts[name] for name in COUNTED}
    malformed = ledger.counts["malformed"] + ledger.counts["malformed now"]
    interval, different = judged.interval, judged.statements.different
    return {
        "test": test.id,
        "at": facts.now,
        "plan_sha256": test.plan_sha256,
        "champion": test.champion,
        "challenger": test.challenger,
        "action": action,
        "verdict": judged.decision.verdict,
        "sentence": sentence(facts, action),
        "metric": {
            "name": facts.plan.metric.name,
            **_means(judged.estimate),
            "difference": judged.estimate.difference,
            "low": None if interval is None else interval.low,
            "high": None if interval is None else interval.high,
            "outcomes": facts.outcomes(facts.plan.metric),
        },
        "evidence": {
            "better": different[BETTER].log_e,
            "worse": different[WORSE].log_e,
            "threshold": different[BETTER].threshold,
        },
        "guardrails": [_guardrail(facts, guardrail) for guardrail in facts.plan.guardrails],
        "mismatches": facts.mismatches,
        "unreported": facts.unreported,
        "requests": {name: _requests(facts, role) for role, name in enumerate(("champion", "challenger"))},
        "outcomes": {**counts, "malformed": malformed, "pending": facts.waiting},
        "forecast": {"days": judged.forecast.days, "sentence": forecast_sentence(facts)},
        "level": facts.plan.level,
    }


def _means(found: Estimate) -> dict[str, float | None]:
    return {"champion": found.champion, "challenger": found.challenger}


def _guardrail(facts: Facts, metric: Metric) -> dict[str, Any]:
    statements = facts.judged.statements
    harm, not_worse = statements.harm[metric.name], statements.not_worse[metric.name]
    return {
        "name": metric.name,
        **_means(facts.estimate(metric)),
        "tolerance": metric.tolerance,
        "harm": harm.shown,
        "harm_evidence": harm.log_e,
        "harm_threshold": harm.threshold,
        "not_worse": not_worse.shown,
        "not_worse_evidence": not_worse.log_e,
        "not_worse_threshold": not_worse.threshold,
        "outcomes": facts.outcomes(metric),
    }


def _requests(facts: Facts, role: int) -> dict[str, int | None]:
    traffic = facts.ledger.traffic
    return {
        "invoked": None if traffic is None else traffic[role][0],
        "captured": facts.requests("captured")[role],
        "joined": facts.requests("joined")[role],
        "server_errors": None if traffic is None else traffic[role][1],
    }
