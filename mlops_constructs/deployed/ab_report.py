"""The report of an A/B test: a fresh one from the function that judges, or the newest that it has stored."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .function_report import fresh_report, stored_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .ab_record import Test
    from .pipeline import DeployedPipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report.

    Attributes:
        content: The report, or None when there is none.
        age_seconds: Its age; 0 for a fresh one.
        why_not_fresh: Why it is not a fresh one; empty if it is.
    """

    content: Mapping[str, Any] | None
    age_seconds: float = 0.0
    why_not_fresh: str = ""

    @property
    def action(self) -> str:
        """What follows from the evidence; empty when there is no report."""
        return "" if self.content is None else str(self.content.get("action", ""))

    @property
    def sentence(self) -> str:
        """What it says, or why there is none."""
        return self.why_not_fresh if self.content is None else str(self.content.get("sentence", ""))


def newest_report(pipeline: DeployedPipeline, test: Test) -> Report:
    """Judge a test that runs now; where that is not possible, and for one that has ended, read what was stored."""
    why = "the test has ended"
    if test.runs:
        try:
            content = fresh_report(pipeline, "judge-ab-test")
        except MlopsError as error:
            why = str(error)
        else:
            if content.get("test") == test.id:
                return Report(content=content)
            why = f"the function that judges knows no such test: {content.get('sentence', 'it says nothing')}"
    key = f"ab/{pipeline.name}/tests/{test.id}/report.json"
    stored = stored_report(pipeline, key, f"of the test {test.id}")
    if stored is None:
        return Report(content=None, why_not_fresh=why)
    return Report(content=stored, age_seconds=max(0.0, time.time() - float(stored.get("at", 0.0))), why_not_fresh=why)
