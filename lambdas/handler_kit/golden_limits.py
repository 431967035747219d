"""What the predictions and the latency of a new model must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handler_kit.settings import SettingsBase

if TYPE_CHECKING:
    from handler_kit.golden_result import Result

_EXACT = (
    ". The labels are numbers that no prediction meets exactly: give SmokeTest a relative_tolerance or an"
    " absolute_tolerance, or use SmokeTest.for_regression(max_rmse=...)"
)


@dataclass(frozen=True)
class Limits(SettingsBase):
    """
    Attributes:
        max_latency_ms: Maximum of the 95th percentile of the latency, in milliseconds; empty for no limit.
        min_accuracy: Minimum share of right predictions, 0 to 1; empty for no limit.
        absolute_tolerance: How far a right number may be from the label; empty for none.
        relative_tolerance: The same as a share of the label; empty for none.
        max_rmse: Maximum root mean squared error; empty for no limit.
        max_mae: Maximum mean absolute error; empty for no limit.
    """

    max_latency_ms: int | None
    min_accuracy: float | None
    absolute_tolerance: float | None
    relative_tolerance: float | None
    max_rmse: float | None
    max_mae: float | None


def failed(result: Result, settings: Limits) -> str | None:
    """The first limit that a result does not hold, as text for people; ``None`` when it holds all."""
    minimum, maximum = settings.min_accuracy, settings.max_latency_ms
    problem = _error_problem(result, settings)
    if problem is not None:
        return problem
    if minimum is not None and result.accuracy < minimum:
        hint = _EXACT if result.is_regression and not result.has_tolerance else ""
        return f"{result}; at least {minimum:g} must be right{hint}"
    if maximum is not None and result.latencies_ms and result.latency_ms > maximum:
        return f"{result}; p95 must be at most {maximum} ms"
    return None


def _error_problem(result: Result, settings: Limits) -> str | None:
    limits = {"rmse": settings.max_rmse, "mae": settings.max_mae}
    for name, limit in limits.items():
        if limit is None:
            continue
        if result.no_number is not None:
            return f"{result.no_number!r} is not a number, so the predictions have no {name.upper()}"
        error = getattr(result, name)
        if error > limit:
            return f"{result}; the {name.upper()} is {error:.4g} and must be at most {limit:g}"
    return None
