"""What is known at a look, for the report and its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from judge_ab_test.bins import OF_OUTCOMES
from judge_ab_test.decision import reported
from judge_ab_test.forecast import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.ab_plan import Metric, Plan
    from handler_kit.ab_record import Test
    from judge_ab_test.books import Ledger
    from judge_ab_test.counts import Tally
    from judge_ab_test.judge import Report


@dataclass(frozen=True)
class Facts:
    """Everything about a look.

    Attributes:
        now: Its time, in seconds since 1970.
        test: The test.
        plan: Its plan.
        ledger: What has been counted.
        judged: What the statistics say.
        difference: How the endpoint differs from the record; empty if it does not.
        waiting: Requests that are not old enough to count, about.
        behind: Whether there was no time to count everything that is old enough.
        last_outcome: When the newest outcome arrived; None if none has.
        outcomes_uri: Where outcomes are to be uploaded.
    """

    now: float
    test: Test
    plan: Plan
    ledger: Ledger
    judged: Report
    difference: str = ""
    waiting: int = 0
    behind: bool = False
    last_outcome: float | None = None
    outcomes_uri: str = ""

    @property
    def guarded(self) -> bool:
        """Whether a function takes the challenger's traffic away."""
        return bool(self.test.plan.get("guard"))

    @property
    def mismatches(self) -> list[str]:
        """The alarms: requests without the shares of the weights, and outcomes that are not reported alike."""
        return [name for name, statement in self.judged.statements.alarms.items() if statement.shown]

    @property
    def unreported(self) -> list[str]:
        """The metrics without any outcome although requests are old enough to have one."""
        return [metric.name for metric in self.plan.metrics if self._is_unreported(metric)]

    @property
    def uncounted(self) -> list[str]:
        """The metrics of CloudWatch without any minute that counts, although there are requests."""
        seen = self.waiting or self.ledger.counts["unsettled"] or sum(self.requests("captured"))
        if self.ledger.traffic is not None or not seen:
            return []
        return [metric.name for metric in self.plan.metrics if not self.needs_outcomes(metric)]

    def tally(self, metric: Metric) -> Tally:
        """Return the counts of a metric."""
        return self.ledger.state.tallies[metric.name]

    def estimate(self, metric: Metric) -> Estimate:
        """Return the means of a metric."""
        return estimate(self.tally(metric))

    def outcomes(self, metric: Metric) -> dict[str, int]:
        """Return how many outcomes of a metric each variant has."""
        tally = self.tally(metric)
        return {"champion": sum(tally.champion), "challenger": sum(tally.challenger)}

    def source(self, metric: Metric) -> Mapping[str, Any]:
        """Return what a metric measures."""
        found: Mapping[str, Any] = self.test.plan["sources"][metric.name]
        return found

    def needs_outcomes(self, metric: Metric) -> bool:
        """Return whether outcomes must be reported for a metric."""
        return self.source(metric)["measures"] in OF_OUTCOMES

    def requests(self, kind: str) -> tuple[int, int]:
        """Return the captured or joined requests of champion and challenger."""
        counts = self.ledger.state.assigned.get(kind, {}).values()
        return sum(champion for champion, _ in counts), sum(challenger for _, challenger in counts)

    def _is_unreported(self, metric: Metric) -> bool:
        if self.tally(metric).total:
            return False
        if self.needs_outcomes(metric):
            return self.ledger.state.tallies[reported(metric.name)].total > 0
        return self.ledger.traffic is not None and sum(row[0] for row in self.ledger.traffic) > 0
