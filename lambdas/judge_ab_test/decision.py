"""What follows from the evidence: promote, abort, look into it, go on, or end without a verdict.

Each statement has its own level and keeps the moment when its evidence first reached ``1 / level``: the evidence may
fall again, the statement stays. Promotion needs the metric to be shown better and every guardrail to be shown not
worse, each at the full level (an intersection of hypotheses). Any one harm aborts, so the harms share the level
(Bonferroni); the mean of e-values is no way here, as outcomes arrive at different delays (Choe, Ramdas, "Combining
evidence across filtrations", arXiv 2402.09698).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from handler_kit.ab_plan import Plan

PROMOTE, ABORT, INVESTIGATE, CONTINUE, END = "promote", "abort", "investigate", "continue", "end"
BETTER, WORSE, INCONCLUSIVE, TOO_EARLY = "better", "worse", "inconclusive", "too early"
MISMATCHES = ("invoked", "captured", "joined")
_REPORTED = "reported: "


def reported(metric: str) -> str:
    """Return the name of the tally and of the alarm that tell whether a metric's outcomes are reported."""
    return _REPORTED + metric


@dataclass(frozen=True, slots=True)
class Crossing:
    """The first look at which the evidence was enough.

    Attributes:
        time: The time of the look, in seconds.
        outcomes: Outcomes of both variants at that look.
        log_e: The evidence at that look, as a logarithm.
    """

    time: float
    outcomes: int
    log_e: float


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a test may show, with the evidence for it.

    Attributes:
        log_e: The evidence now, as a natural logarithm.
        level: Probability with which it is ever shown although it is false.
        outcomes: Outcomes of both variants that it is based on.
        first: Where the evidence first was enough; None if it never was.
    """

    log_e: float
    level: float
    outcomes: int
    first: Crossing | None = None

    @property
    def shown(self) -> bool:
        """Whether the evidence has ever been enough."""
        return self.first is not None

    @property
    def threshold(self) -> float:
        """The evidence that is enough, as a natural logarithm."""
        return -math.log(self.level)

    def looked_at(self, time: float, before: Crossing | None) -> Statement:
        """Return the statement with its first crossing, which may have been at an earlier look or is now."""
        now = Crossing(time, self.outcomes, self.log_e) if self.log_e >= self.threshold else None
        return Statement(self.log_e, self.level, self.outcomes, before or now)


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of a look.

    Attributes:
        action: PROMOTE, ABORT, INVESTIGATE, CONTINUE or END. Only PROMOTE allows a promotion without an override.
        verdict: BETTER, WORSE, INCONCLUSIVE or TOO_EARLY, two-sided at the plan's level.
        reasons: Why, as sentences.
    """

    action: str
    verdict: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statements:
    """All statements of one look, by metric.

    Attributes:
        better: The challenger's metric is higher.
        different: The variants differ in the metric, and the challenger's is BETTER or WORSE.
        harm: A metric is lower, of a guardrail by more than its tolerance; the metric's own harm is among them.
        not_worse: A guardrail is not lower by its tolerance or more.
        alarms: Something is wrong with the data: MISMATCHES of the sample ratio, and of each metric whether outcomes
            are reported equally often (``reported``).
    """

    better: Statement
    different: Mapping[str, Statement]
    harm: Mapping[str, Statement]
    not_worse: Mapping[str, Statement] = field(default_factory=lambda: MappingProxyType({}))
    alarms: Mapping[str, Statement] = field(default_factory=lambda: MappingProxyType({}))

    def named(self) -> Iterator[tuple[str, Statement]]:
        """Yield each statement with the name by which the record keeps its crossing."""
        yield "better", self.better
        for group, statements in self._groups().items():
            for name, statement in statements.items():
                yield f"{group}: {name}", statement

    def looked_at(self, now: float, before: Mapping[str, Crossing], *, enough: bool) -> Statements:
        """Return the statements with their first crossings; before there are enough outcomes, only alarms may cross."""

        def crossed(name: str, statement: Statement) -> Statement:
            may_cross = enough or name.startswith("alarm: ")
            return statement.looked_at(now, before.get(name)) if may_cross else statement

        groups = {
            name: {key: crossed(f"{name}: {key}", statement) for key, statement in group.items()}
            for name, group in self._groups().items()
        }
        return Statements(crossed("better", self.better), *groups.values())

    def _groups(self) -> dict[str, Mapping[str, Statement]]:
        return {"different": self.different, "harm": self.harm, "not worse": self.not_worse, "alarm": self.alarms}


def decide(statements: Statements, plan: Plan, days: float, *, enough: bool) -> Decision:
    """Return what follows from the evidence.

    Args:
        statements: Of this look, with first crossings.
        plan: The test's plan.
        days: Age of the test.
        enough: Whether there are ``minimum_sample`` outcomes, and ``minimum_per_variant`` of each variant.
    """
    verdict = _verdict(statements, enough=enough)
    harms = [name for name, statement in statements.harm.items() if statement.shown]
    if harms:
        return Decision(ABORT, verdict, tuple(_harm(name, plan) for name in harms))
    alarms = [name for name, statement in statements.alarms.items() if statement.shown]
    if alarms:
        return Decision(INVESTIGATE, verdict, tuple(_alarm(name) for name in alarms))
    unproven = [name for name, statement in statements.not_worse.items() if not statement.shown]
    if enough and statements.better.shown and not unproven:
        return Decision(PROMOTE, verdict, (f"{plan.metric.name} is better, and no guardrail is worse.",))
    waits = tuple(f"{name} is not yet shown to be no worse." for name in unproven)
    if not statements.better.shown:
        waits = (f"{plan.metric.name} is not shown to be better.", *waits)
    return Decision(END if days >= plan.maximum_days else CONTINUE, verdict, waits)


def _verdict(statements: Statements, *, enough: bool) -> str:
    if not enough:
        return TOO_EARLY
    shown = {name: statement.first.time for name, statement in statements.different.items() if statement.first}
    return min(shown, key=lambda name: shown[name], default=INCONCLUSIVE)


def _harm(name: str, plan: Plan) -> str:
    tolerance = {guardrail.name: guardrail.tolerance for guardrail in plan.guardrails}.get(name, 0.0)
    return f"{name} is worse by more than {tolerance:g}." if tolerance else f"{name} is worse."


def _alarm(name: str) -> str:
    if name.startswith(_REPORTED):
        metric = name.removeprefix(_REPORTED)
        return f"{metric} is reported more often for one variant than for the other, so they cannot be compared."
    return f"The variants' shares of the {name} requests are not those of the weights, so they cannot be compared."


def crossings_to_json(crossings: Mapping[str, Crossing]) -> dict[str, Any]:
    """Return first crossings as JSON."""
    return {name: [crossing.time, crossing.outcomes, crossing.log_e] for name, crossing in crossings.items()}


def crossings_from_json(written: Mapping[str, Any]) -> dict[str, Crossing]:
    """Read what ``crossings_to_json`` has written."""
    return {name: Crossing(*crossing) for name, crossing in written.items()}
