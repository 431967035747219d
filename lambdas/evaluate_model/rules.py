"""The rules of the gate, as the construct writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from handler_kit.errors import ConfigurationError

FIELDS = ("metric", "minimum", "maximum", "beat_production_by")


@dataclass(frozen=True)
class Rule:
    """What one metric must be. Without a minimum, a maximum says that lower is better."""

    metric: str
    minimum: float | None
    maximum: float | None
    beat_production_by: float | None

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value beats a greater one."""
        return self.maximum is not None and self.minimum is None


def parse_rules(texts: list[dict[str, str]]) -> list[Rule]:
    """Read the rules. Raises ConfigurationError naming what is wrong; without a rule the gate would always be open."""
    if not texts:
        raise ConfigurationError("environment variable RULES: must hold at least one rule")
    return [_parse(index, text) for index, text in enumerate(texts)]


def _parse(index: int, text: dict[str, str]) -> Rule:
    place = f"environment variable RULES: item {index}"
    if set(text) != set(FIELDS) or not text["metric"]:
        raise ConfigurationError(f"{place}: must have {', '.join(FIELDS)}, got {', '.join(sorted(text))}")
    bounds = {name: _bound(text[name], f"{place}: {name}") for name in FIELDS[1:]}
    if all(bound is None for bound in bounds.values()):
        raise ConfigurationError(f"{place}: rules out nothing")
    return Rule(text["metric"], **bounds)


def _bound(text: str, place: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigurationError(f"{place} must be a finite number, got {text!r}")
    return value
