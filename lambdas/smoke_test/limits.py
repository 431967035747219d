"""What the predictions and the latency of an endpoint must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smoke_test.result import Result
    from smoke_test.settings import Settings

_EXACT = (
    ". The labels are numbers that no prediction meets exactly: give SmokeTest a relative_tolerance or an"
    " absolute_tolerance, or use SmokeTest.for_regression(max_rmse=...)"
)


def failed(result: Result, settings: Settings) -> str | None:
    """The first limit that a result does not hold, as text for people; ``None`` when it holds all."""
    minimum, maximum = settings.min_accuracy, settings.max_latency_ms
    problem = _error_problem(result, settings)
    if problem is not None:
        return problem
    if minimum is not None and result.accuracy < minimum:
        hint = _EXACT if result.is_regression and not result.has_tolerance else ""
        return f"{result}; at least {minimum:g} must be right{hint}"
    if maximum is not None and result.latency_ms > maximum:
        return f"{result}; p95 must be at most {maximum} ms"
    return None


def _error_problem(result: Result, settings: Settings) -> str | None:
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
