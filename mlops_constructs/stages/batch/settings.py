"""The limits of the smoke test, as environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...config import SmokeTest

_NAMES = ("min_accuracy", "absolute_tolerance", "relative_tolerance", "max_rmse", "max_mae")


def limits(smoke_test: SmokeTest) -> dict[str, str]:
    """Return what a candidate's predictions are checked with; an empty text is no limit, and a batch has no latency."""
    values = {name.upper(): getattr(smoke_test, name) for name in _NAMES}
    return {"MAX_LATENCY_MS": "", **{name: "" if value is None else repr(value) for name, value in values.items()}}
