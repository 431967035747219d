"""The report of the watch over production: a fresh one from the function that watches, or the newest stored one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .function_report import MISSING, fresh_report, stored_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pipeline import DeployedPipeline

_HINT = " (a pipeline has it with `monitoring=Monitoring()`)"
# S3 denies a missing object to who may not list.
_MISSING = (*MISSING, "AccessDenied", "403")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """A report.

    Attributes:
        content: What the function has found: ``features``, ``quality``, ``alarms`` and so on; with ``sentence``, that
            there is nothing to report and why.
        age_seconds: Its age; 0 for a fresh one.
        why_not_fresh: Why it is not a fresh one; empty if it is.
    """

    content: Mapping[str, Any]
    age_seconds: float = 0.0
    why_not_fresh: str = ""

    @property
    def in_alarm(self) -> bool:
        """Whether anything has raised an alarm."""
        return bool(self.content.get("alarms"))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**self.content, "age_seconds": self.age_seconds, "why_not_fresh": self.why_not_fresh}


def drift_of(pipeline: DeployedPipeline) -> DriftReport:
    """Look at production now; where that is not possible, read what was stored. Raises MlopsError without either."""
    try:
        content = fresh_report(pipeline, "watch-traffic", _HINT)
    except MlopsError as error:
        key = f"monitoring/{pipeline.name}/report.json"
        stored = stored_report(pipeline, key, f"s3://{pipeline.artifact_bucket}/{key}", _MISSING)
        if stored is None:
            raise
        age = max(0.0, time.time() - float(stored.get("at", 0.0)))
        return DriftReport(content=stored, age_seconds=age, why_not_fresh=str(error))
    return DriftReport(content=content)
