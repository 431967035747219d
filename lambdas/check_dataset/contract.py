"""The data contract: the rules for the columns of a data set, declared in Python or in a JSON file next to the data."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from check_dataset.fields import check_fields, number, parse_document, text_of, truth, whole_number
from check_dataset.numbers import MISSING, parse
from handler_kit.errors import ConfigurationError

TYPES = ("string", "number", "integer", "boolean")
_ARTICLES = {"number": "a number", "integer": "an integer"}
_BOOLEANS = frozenset({"true", "false", "0", "1"})
_SHOWN = 60


@dataclass(frozen=True)
class Column:
    """The rules for one column.

    Attributes:
        name: Its name in messages, in a header, and in JSON Lines.
        type: One of ``string``, ``number``, ``integer``, ``boolean``.
        min_value: Minimum number; ``None`` for no limit.
        max_value: Maximum number; ``None`` for no limit.
        allowed_values: The only allowed values, as text; ``None`` allows any.
        nullable: Whether a value may be missing.
    """

    name: str
    type: str = "string"
    min_value: float | None = None
    max_value: float | None = None
    allowed_values: tuple[str, ...] | None = None
    nullable: bool = False

    def problem_of_text(self, text: str) -> str | None:
        """What is wrong with a CSV cell, or ``None``."""
        value = text.strip()
        if value == "" or (self.type in ("number", "integer") and value.lower() in MISSING):
            return None if self.nullable else f"the value is missing ({text!r})"
        if self.type == "boolean" and value.lower() not in _BOOLEANS:
            return f"{shown(text)} is not a boolean (true, false, 1, 0)"
        if self.type in ("number", "integer"):
            return self._problem_of_number(value)
        return self._problem_of_allowed(value)

    def problem_of_value(self, value: Any) -> str | None:
        """What is wrong with a JSON value, or ``None``."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None if self.nullable else "the value is missing"
        if self.type == "boolean":
            return None if isinstance(value, bool) else f"{shown(value)} is not a boolean"
        if self.type == "string":
            return self._problem_of_allowed(value) if isinstance(value, str) else f"{shown(value)} is not a string"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"{shown(value)} is not {_ARTICLES[self.type]}"
        return self._problem_of_number(str(value))

    def _problem_of_number(self, text: str) -> str | None:
        try:
            found = parse(text)
        except ValueError:
            return f"{shown(text)} is not {_ARTICLES[self.type]}"
        if not math.isfinite(found):
            return f"{shown(text)} is not finite"
        if self.type == "integer" and not found.is_integer():
            return f"{shown(text)} is not an integer"
        if self.min_value is not None and found < self.min_value:
            return f"{text[:_SHOWN]} is below the minimum {self.min_value:g}"
        if self.max_value is not None and found > self.max_value:
            return f"{text[:_SHOWN]} is above the maximum {self.max_value:g}"
        return self._problem_of_allowed(text)

    def _problem_of_allowed(self, text: str) -> str | None:
        if self.allowed_values is None or text in self.allowed_values:
            return None
        known = ", ".join(map(repr, self.allowed_values[:10])) + (", ..." if len(self.allowed_values) > 10 else "")
        return f"{shown(text)} is not one of {known}"


@dataclass(frozen=True)
class Contract:
    """The rules for a data set.

    Attributes:
        columns: The columns in the order of the file; when empty, columns are not checked.
        header: Whether each CSV file begins with the names of the columns.
        label: Name of the column with the label; ``None`` means the first column.
        min_rows: Minimum number of rows of the channel train.
        min_class_share: Minimum share of each class in the channel train, 0 to 0.5.
    """

    columns: tuple[Column, ...] = ()
    header: bool = False
    label: str | None = None
    min_rows: int = 2
    min_class_share: float = 0.0

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    @property
    def label_index(self) -> int:
        """Index of the label in a CSV row."""
        return 0 if self.label is None else self.names.index(self.label)


def parse_contract(text: str, place: str) -> Contract:
    """Read a contract; ``place`` is its name in messages. Raises ConfigurationError that says what is wrong."""
    value = parse_document(text, place, "data contract")
    try:
        return _contract(value)
    except ValueError as error:
        raise ConfigurationError(f"{place}: not a valid data contract: {error}") from None


def merge(team: Contract, own: Contract, place: str) -> Contract:
    """Combine the pipeline's contract with the data set's own contract, which can only tighten it.

    Raises ConfigurationError when no data could satisfy both.
    """
    shape = own if own.columns else team
    columns = shape.columns
    if team.columns and own.columns:
        if (team.names, team.header, team.label_index) != (own.names, own.header, own.label_index):
            raise ConfigurationError(
                f"{place}: its columns, header or label differ from those of the pipeline's contract, whose columns are"
                f" {', '.join(team.names)[:300]}; use the same"
            )
        columns = tuple(_merged(*pair, place) for pair in zip(team.columns, own.columns, strict=True))
    return Contract(
        columns,
        shape.header,
        shape.label,
        max(team.min_rows, own.min_rows),
        max(team.min_class_share, own.min_class_share),
    )


def _merged(team: Column, own: Column, place: str) -> Column:
    if team.type != own.type:
        raise ConfigurationError(
            f"{place}: column {own.name} is {own.type}, but {team.type} in the pipeline's contract"
        )
    lows = [limit for limit in (team.min_value, own.min_value) if limit is not None]
    highs = [limit for limit in (team.max_value, own.max_value) if limit is not None]
    lists = [allowed for allowed in (team.allowed_values, own.allowed_values) if allowed is not None]
    return Column(
        own.name,
        own.type,
        max(lows, default=None),
        min(highs, default=None),
        tuple(one for one in lists[0] if one in lists[-1]) if lists else None,
        team.nullable and own.nullable,
    )


def _contract(value: Any) -> Contract:
    names = {"columns", "header", "label", "min_rows", "min_class_share"}
    check_fields(value, "the contract", required=set(), optional=names)
    columns = value.get("columns", [])
    if not isinstance(columns, list):
        raise ValueError("columns must be a list")
    parsed = tuple(_column(column, f"columns[{index}]") for index, column in enumerate(columns))
    known = [column.name for column in parsed]
    if len(set(known)) < len(known):
        raise ValueError("two columns have the same name")
    label = None if value.get("label") is None else text_of(value["label"], "label")
    if label is not None and label not in known:
        raise ValueError(f"label {label!r} is not one of columns")
    header = truth(value.get("header", False), "header")
    if header and not parsed:
        raise ValueError("header needs columns")
    rows = whole_number(value.get("min_rows", Contract.min_rows), "min_rows", 1, 10**12)
    share = number(value.get("min_class_share", 0.0), "min_class_share", 0.0, 0.5)
    return Contract(parsed, header, label, rows, share)


def _column(value: Any, place: str) -> Column:
    options = {"type", "min_value", "max_value", "allowed_values", "nullable"}
    check_fields(value, place, required={"name"}, optional=options)
    kind = value.get("type", "string")
    if kind not in TYPES:
        raise ValueError(f"{place}.type must be one of {', '.join(TYPES)}, got {json.dumps(kind)[:100]}")
    limits = {
        name: None if value.get(name) is None else number(value[name], f"{place}.{name}", -math.inf, math.inf)
        for name in ("min_value", "max_value")
    }
    if kind not in ("number", "integer") and any(limit is not None for limit in limits.values()):
        raise ValueError(f"{place}: only a number or an integer can have min_value or max_value")
    allowed = value.get("allowed_values")
    if allowed is not None and (not isinstance(allowed, list) or not allowed):
        raise ValueError(f"{place}.allowed_values must be a list with at least one value")
    return Column(
        name=text_of(value["name"], f"{place}.name"),
        type=kind,
        min_value=limits["min_value"],
        max_value=limits["max_value"],
        allowed_values=None if allowed is None else tuple(_allowed(one) for one in allowed),
        nullable=truth(value.get("nullable", False), f"{place}.nullable"),
    )


def _allowed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
