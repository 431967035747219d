"""The data contract: what the columns of a data set must hold, declared in Python or in a JSON file beside the data."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from check_dataset.fields import check_fields, number, parse_document, text_of, truth, whole_number
from handler_kit.errors import ConfigurationError

TYPES = ("string", "number", "integer", "boolean")
# How CSV writes that a number is not there; among texts "NA" may be a value.
_MISSING_NUMBERS = frozenset({"", "nan", "na", "n/a", "null", "none"})
_BOOLEANS = frozenset({"true", "false", "0", "1"})
_SHOWN = 60


@dataclass(frozen=True)
class Column:
    """What one column must hold.

    Attributes:
        name: Its name in messages, in a header, and in JSON Lines.
        type: One of ``string``, ``number``, ``integer``, ``boolean``.
        minimum: Smallest number; ``None`` for no limit.
        maximum: Largest number; ``None`` for no limit.
        allowed: The only values, as text; ``None`` for any.
        missing_allowed: Whether a value may be missing.
    """

    name: str
    type: str = "string"
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | None = None
    missing_allowed: bool = False

    def problem_of_text(self, text: str) -> str | None:
        """What is wrong with a CSV cell, or ``None``."""
        value = text.strip()
        if value == "" or (self.type in ("number", "integer") and value.lower() in _MISSING_NUMBERS):
            return None if self.missing_allowed else f"the value is missing ({text!r})"
        if self.type == "boolean" and value.lower() not in _BOOLEANS:
            return f"{_shown(text)} is no boolean (true, false, 1, 0)"
        if self.type in ("number", "integer"):
            return self._problem_of_number(value)
        return self._problem_of_allowed(value)

    def problem_of_value(self, value: Any) -> str | None:
        """What is wrong with a JSON value, or ``None``."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None if self.missing_allowed else "the value is missing"
        if self.type == "boolean":
            return None if isinstance(value, bool) else f"{_shown(value)} is no boolean"
        if self.type == "string":
            return self._problem_of_allowed(value) if isinstance(value, str) else f"{_shown(value)} is no string"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"{_shown(value)} is no {self.type}"
        return self._problem_of_number(str(value))

    def _problem_of_number(self, text: str) -> str | None:
        try:
            found = float(text)
        except ValueError:
            return f"{_shown(text)} is no {self.type}"
        if not math.isfinite(found):
            return f"{_shown(text)} is not finite"
        if self.type == "integer" and not found.is_integer():
            return f"{_shown(text)} is no integer"
        if self.minimum is not None and found < self.minimum:
            return f"{text[:_SHOWN]} is below the minimum {self.minimum:g}"
        if self.maximum is not None and found > self.maximum:
            return f"{text[:_SHOWN]} is above the maximum {self.maximum:g}"
        return self._problem_of_allowed(text)

    def _problem_of_allowed(self, text: str) -> str | None:
        if self.allowed is None or text in self.allowed:
            return None
        known = ", ".join(map(repr, self.allowed[:10])) + (", ..." if len(self.allowed) > 10 else "")
        return f"{_shown(text)} is not one of {known}"


@dataclass(frozen=True)
class Contract:
    """What a data set must hold.

    Attributes:
        columns: In the order of the file; none leaves the columns unchecked.
        header: Whether each CSV file begins with the columns' names.
        label: Name of the column to learn; ``None`` is the first one.
        minimum_rows: Fewest rows of the channel train.
        minimum_class_share: Smallest share of each class of the channel train, 0 to 1.
    """

    columns: tuple[Column, ...] = ()
    header: bool = False
    label: str | None = None
    minimum_rows: int = 2
    minimum_class_share: float = 0.0

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    @property
    def label_index(self) -> int:
        """Where the label stands in a CSV row."""
        return 0 if self.label is None else self.names.index(self.label)


def parse_contract(text: str, place: str) -> Contract:
    """Read a contract; ``place`` says where it lies. Raises ConfigurationError saying what is wrong."""
    value = parse_document(text, place, "data contract")
    try:
        return _contract(value)
    except ValueError as error:
        raise ConfigurationError(f"{place}: not a valid data contract: {error}") from None


def merge(team: Contract, own: Contract, place: str) -> Contract:
    """What holds both contracts: the team's, and the one beside the data, which can only tighten it.

    Raises ConfigurationError when no data could hold both.
    """
    shape = own if own.columns else team
    columns = shape.columns
    if team.columns and own.columns:
        if (team.names, team.header, team.label_index) != (own.names, own.header, own.label_index):
            raise ConfigurationError(
                f"{place}: names other columns, header or label than the pipeline's contract, which has"
                f" {', '.join(team.names)[:300]}"
            )
        columns = tuple(_merged(*pair, place) for pair in zip(team.columns, own.columns, strict=True))
    return Contract(
        columns,
        shape.header,
        shape.label,
        max(team.minimum_rows, own.minimum_rows),
        max(team.minimum_class_share, own.minimum_class_share),
    )


def _merged(team: Column, own: Column, place: str) -> Column:
    if team.type != own.type:
        raise ConfigurationError(
            f"{place}: column {own.name} is {own.type}, but {team.type} in the pipeline's contract"
        )
    lows = [limit for limit in (team.minimum, own.minimum) if limit is not None]
    highs = [limit for limit in (team.maximum, own.maximum) if limit is not None]
    lists = [allowed for allowed in (team.allowed, own.allowed) if allowed is not None]
    return Column(
        own.name,
        own.type,
        max(lows, default=None),
        min(highs, default=None),
        tuple(one for one in lists[0] if one in lists[-1]) if lists else None,
        team.missing_allowed and own.missing_allowed,
    )


def _contract(value: Any) -> Contract:
    names = {"columns", "header", "label", "minimum_rows", "minimum_class_share"}
    check_fields(value, "the contract", required=set(), optional=names)
    columns = value.get("columns", [])
    if not isinstance(columns, list):
        raise ValueError("columns must be a list")
    parsed = tuple(_column(column, f"columns[{index}]") for index, column in enumerate(columns))
    known = [column.name for column in parsed]
    if len(set(known)) < len(known):
        raise ValueError("columns has one name twice")
    label = None if value.get("label") is None else text_of(value["label"], "label")
    if label is not None and label not in known:
        raise ValueError(f"label {label!r} is not one of columns")
    header = truth(value.get("header", False), "header")
    if header and not parsed:
        raise ValueError("header needs columns")
    rows = whole_number(value.get("minimum_rows", Contract.minimum_rows), "minimum_rows", 1, 10**12)
    share = number(value.get("minimum_class_share", 0.0), "minimum_class_share", 0.0, 0.5)
    return Contract(parsed, header, label, rows, share)


def _column(value: Any, place: str) -> Column:
    options = {"type", "minimum", "maximum", "allowed", "missing_allowed"}
    check_fields(value, place, required={"name"}, optional=options)
    kind = value.get("type", "string")
    if kind not in TYPES:
        raise ValueError(f"{place}.type must be one of {', '.join(TYPES)}, got {json.dumps(kind)[:100]}")
    limits = {
        name: None if value.get(name) is None else number(value[name], f"{place}.{name}", -math.inf, math.inf)
        for name in ("minimum", "maximum")
    }
    if kind not in ("number", "integer") and any(limit is not None for limit in limits.values()):
        raise ValueError(f"{place}: only a number or an integer has a minimum or a maximum")
    allowed = value.get("allowed")
    if allowed is not None and (not isinstance(allowed, list) or not allowed):
        raise ValueError(f"{place}.allowed must be a list with at least one value")
    return Column(
        name=text_of(value["name"], f"{place}.name"),
        type=kind,
        minimum=limits["minimum"],
        maximum=limits["maximum"],
        allowed=None if allowed is None else tuple(_allowed(one) for one in allowed),
        missing_allowed=truth(value.get("missing_allowed", False), f"{place}.missing_allowed"),
    )


def _allowed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
