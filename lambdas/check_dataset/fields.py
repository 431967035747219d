"""JSON documents that people write: they are read strictly, and errors name the field."""

from __future__ import annotations

import json
from typing import Any

from handler_kit.errors import ConfigurationError


def parse_document(text: str, place: str, what: str) -> Any:
    """Read JSON in which no key is given twice. Raises ConfigurationError that names the document."""
    try:
        return json.loads(text, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise ConfigurationError(f"{place}: nested too deeply for a {what}") from None
    except ValueError as error:
        raise ConfigurationError(f"{place}: not a valid {what}: {error}") from None


def check_fields(value: Any, place: str, *, required: set[str], optional: set[str]) -> None:
    """Raise ValueError unless ``value`` is an object with these fields."""
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object")
    if missing := required - value.keys():
        raise ValueError(f"{place} has no {', '.join(sorted(missing))}")
    if unknown := value.keys() - required - optional:
        raise ValueError(f"{place} has the unknown field {', '.join(sorted(unknown))}")


def text_of(value: Any, place: str) -> str:
    """Return ``value`` if it is a string that is not empty; otherwise raise ValueError."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{place} must be a string that is not empty")
    return value


def whole_number(value: Any, place: str, low: int, high: int) -> int:
    """Return ``value`` if it is a whole number from ``low`` to ``high``; otherwise raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{place} must be a whole number from {low} to {high}, got {json.dumps(value)[:100]}")
    return value


def number(value: Any, place: str, low: float, high: float) -> float:
    """Return ``value`` if it is a number from ``low`` to ``high``; otherwise raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{place} must be a number from {low:g} to {high:g}, got {json.dumps(value)[:100]}")
    return value


def truth(value: Any, place: str) -> bool:
    """Return ``value`` if it is true or false; otherwise raise ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{place} must be true or false, got {json.dumps(value)[:100]}")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} is given twice")
        found[key] = value
    return found
