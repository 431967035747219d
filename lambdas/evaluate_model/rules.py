"""The rules of the evaluation gate, in the form that the construct writes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from handler_kit.errors import ConfigurationError

BOUNDS = ("min_value", "max_value", "beat_production_by")
FIELDS = ("metric", *BOUNDS, "confidence_level", "objective_type")
OBJECTIVES = ("Maximize", "Minimize")


@dataclass(frozen=True)
class Rule:
    """The rule for one metric."""

    metric: str
    min_value: float | None
    max_value: float | None
    beat_production_by: float | None
    confidence_level: float | None = None
    lower_is_better: bool = False


def parse_rules(written: list[dict[str, Any]]) -> list[Rule]:
    """Read the rules. Raises ConfigurationError that says what is wrong; without a rule every candidate would pass."""
    if not written:
        raise ConfigurationError("rules: there must be at least one")
    return [_parse(rule, f"rules: item {index}") for index, rule in enumerate(written)]


def _parse(rule: dict[str, Any], place: str) -> Rule:
    if set(rule) != set(FIELDS) or not rule["metric"]:
        raise ConfigurationError(f"{place}: must have {', '.join(FIELDS)}, got {', '.join(sorted(rule))}")
    bounds = {name: _bound(rule[name], f"{place}: {name}") for name in BOUNDS}
    if all(bound is None for bound in bounds.values()):
        raise ConfigurationError(f"{place}: must have a min_value, max_value or beat_production_by")
    if rule["objective_type"] not in OBJECTIVES:
        raise ConfigurationError(f"{place}: objective_type must be {' or '.join(OBJECTIVES)}")
    level = _bound(rule["confidence_level"], f"{place}: confidence_level")
    if level is not None and not 0.5 <= level < 1:
        raise ConfigurationError(f"{place}: confidence_level must be at least 0.5 and less than 1, got {level}")
    return Rule(rule["metric"], **bounds, confidence_level=level, lower_is_better=rule["objective_type"] == "Minimize")


def _bound(value: Any, place: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigurationError(f"{place} must be a finite number, got {value!r}")
    return float(value)
