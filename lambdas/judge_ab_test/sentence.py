"""What a look has found, in one or two plain sentences for a product manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judge_ab_test.bins import VALUE
from judge_ab_test.decision import ABORT, BETTER, END, INVESTIGATE, PROMOTE, TOO_EARLY, WORSE
from judge_ab_test.words import ago, amount, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handler_kit.ab_plan import Metric
    from judge_ab_test.facts import Facts

_SILENCE_SECONDS = 86_400.0


def sentence(facts: Facts, action: str) -> str:
    """Return what was found, what follows from it, and what is missing."""
    found = {ABORT: _abort, INVESTIGATE: _investigate, PROMOTE: _promote, END: _end}.get(action, _continue)(facts)
    return " ".join([found, *_notes(facts)])


def forecast_sentence(facts: Facts) -> str:
    """Return how much longer until a verdict."""
    found = facts.judged.forecast
    if found.outcomes == 0:
        return "There is a verdict."
    if facts.judged.estimate.difference is None:
        of_both = " of both variants" if facts.tally(facts.plan.metric).total else ""
        return f"There are no outcomes{of_both} yet, so nothing can be said of how long it takes."
    if found.outcomes is None:
        return "If the difference stays as it is, there will never be a verdict."
    if found.days is None:
        return f"About {plural(found.outcomes, 'more outcome')} until a verdict."
    days = f"about {plural(max(1, round(found.days)), 'more day')}"
    if found.in_time:
        return f"At this traffic {days}."
    return f"At this traffic {days}, which is longer than the test may take ({facts.plan.maximum_days:g} days)."


def comparison(facts: Facts, metric: Metric) -> str:
    """Return the means of both variants, such as "93.1 % against 91.0 % (difference 0.8 to 3.4 percentage points)"."""
    found, outcomes = facts.estimate(metric), plural(facts.tally(metric).total, "outcome")
    if found.challenger is None or found.champion is None:
        return f"{metric.name} has {outcomes}"
    source = facts.source(metric)
    low, span = 0.0, 1.0
    is_value = source["measures"] == VALUE
    if is_value:
        low, span = float(source["low"]), float(source["high"]) - float(source["low"])
    means = [low + span * mean for mean in (found.challenger, found.champion)]
    text = " against ".join(amount(means, percent=not is_value))
    interval = facts.judged.interval
    if metric is facts.plan.metric and interval is not None:
        ends = amount([span * interval.low, span * interval.high], percent=not is_value, unit=False)
        points = "" if is_value else " percentage points"
        return f"{metric.name} {text} (difference {ends[0]} to {ends[1]}{points}, {outcomes})"
    return f"{metric.name} {text} ({outcomes})"


def _abort(facts: Facts) -> str:
    harmed = [metric for metric in facts.plan.metrics if facts.judged.statements.harm[metric.name].shown]
    found = f"The challenger is worse: {'; '.join(comparison(facts, metric) for metric in harmed)}."
    if facts.difference:
        found += f" Somebody has also changed the endpoint by hand: {facts.difference}."
    what = "The guard takes its traffic away." if facts.guarded else "Take its traffic away with `mlops ab abort`."
    return f"{found} {what}"


def _investigate(facts: Facts) -> str:
    if facts.difference:
        return (
            f"Somebody has changed the endpoint by hand: {facts.difference}. Requests since then do not count until the"
            " endpoint is as recorded again; `mlops ab shift` sets the weights."
        )
    return f"Somebody must look into this before anything is decided: {' '.join(facts.judged.decision.reasons)}"


def _promote(facts: Facts) -> str:
    return f"The challenger is better: {comparison(facts, facts.plan.metric)}. It may be promoted."


def _end(facts: Facts) -> str:
    return (
        f"The test has taken its {facts.plan.maximum_days:g} days and allows no promotion:"
        f" {comparison(facts, facts.plan.metric)}. Keep the champion, or promote with an override, which is recorded."
    )


def _continue(facts: Facts) -> str:
    verdict, plan = facts.judged.decision.verdict, facts.plan
    compared = comparison(facts, plan.metric)
    if verdict == BETTER:
        waits = [name for name, one in facts.judged.statements.not_worse.items() if not one.shown]
        if not waits:
            return f"The challenger looks better: {compared}, but this is not certain enough for a promotion yet."
        return f"The challenger is better: {compared}. But {', '.join(waits)} may still be worse, so it has to wait."
    if verdict == WORSE:
        return f"The challenger looks worse: {compared}, but this is not certain enough to abort yet."
    if verdict == TOO_EARLY:
        outcomes = facts.outcomes(plan.metric)
        return (
            f"It is too early to judge {plan.metric.name}: {outcomes['champion']:,} outcomes of the champion and"
            f" {outcomes['challenger']:,} of the challenger. At least {plan.minimum_sample:,} are needed, and"
            f" {plan.minimum_per_variant:,} of each."
        )
    return f"Nothing is certain yet: {compared}. {forecast_sentence(facts)}"


def _notes(facts: Facts) -> Iterator[str]:
    """Yield what is missing."""
    silent = facts.now - max(facts.test.started, facts.last_outcome or 0.0)
    unreported = [metric for metric in facts.plan.metrics if metric.name in facts.unreported]
    names = [metric.name for metric in unreported if facts.needs_outcomes(metric)]
    needed = any(facts.needs_outcomes(metric) for metric in facts.plan.metrics)
    if needed and silent > facts.plan.maturity_window_in_seconds + _SILENCE_SECONDS:
        yield f"No outcomes have been reported in {ago(silent)}: upload them to {facts.outcomes_uri}."
    elif names:
        yield f"Nobody reports {', '.join(names)}: upload outcomes to {facts.outcomes_uri}."
    if others := [metric.name for metric in unreported if not facts.needs_outcomes(metric)]:
        yield f"CloudWatch has no numbers for {', '.join(others)}."
    if uncounted := facts.uncounted:
        yield (
            f"{', '.join(uncounted)}: CloudWatch counts by the minute, and only minutes count that are older than 3"
            " minutes and lie wholly in a time with constant shares. None with requests does yet."
        )
    if needed and not sum(facts.requests("captured")):
        yield from _nothing_captured(facts)
    if facts.behind:
        yield f"Requests of the last {ago(facts.now - facts.ledger.requests_until)} are still to be counted."


def _nothing_captured(facts: Facts) -> Iterator[str]:
    window = facts.plan.maturity_window_in_seconds
    if facts.ledger.counts["undelivered"]:
        yield (
            "Captured requests arrive only after the maturity window, so none counts: begin a test with one of more"
            f" than {ago(window)}."
        )
    elif facts.ledger.traffic and facts.now - facts.test.started > window + _SILENCE_SECONDS / 24:
        yield "No captured request counts yet: check that the endpoint captures data."
