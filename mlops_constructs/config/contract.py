"""The data contract: what the columns of a data set must contain, checked before training costs anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Problem, under
from ._part import Part
from ._rules import boolean, in_range, literal, one_of, text
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = ("string", "number", "integer", "boolean")
_NUMERIC = ("number", "integer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Part):
    """What one column must contain. Literal.

    Attributes:
        name: The column's name in messages, in a header, and in JSON Lines.
        type: ``string``, ``number`` (finite), ``integer`` or ``boolean`` (in CSV true, false, 1, 0).
        min_value: Smallest number, or None for no limit.
        max_value: Largest number, or None for no limit.
        allowed_values: The only allowed values, or None for any. Compared as text, as written in the file.
        nullable: Whether a value may be missing: an empty cell, for numbers also ``NaN``, ``NA`` or ``null``.
    """

    name: str
    type: Literal["string", "number", "integer", "boolean"] = "string"
    min_value: float | None = None
    max_value: float | None = None
    allowed_values: Sequence[str | int | float | bool] | None = None
    nullable: bool = False

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from text("name", self.name)
        if not self.name:
            yield Problem("name", "must be a non-empty string", self.name, "name the column")
        yield from one_of("type", self.type, _TYPES)
        yield from boolean("nullable", self.nullable)
        yield from literal("allowed_values", self.allowed_values)
        yield from self._limit_problems()
        if self.allowed_values is None:
            return
        if not self.allowed_values:
            yield Problem(
                "allowed_values", "must be a list with at least one value", self.allowed_values, "list the values"
            )
        for index, value in enumerate(self.allowed_values):
            if not is_token(value):
                yield from text(f"allowed_values[{index}]", value)
            if isinstance(value, float) and not math.isfinite(value):
                rule, remedy = "must be a finite number", "give it as a string"
                yield Problem(f"allowed_values[{index}]", rule, value, remedy)

    def _limit_problems(self) -> Iterator[Problem]:
        for name in ("min_value", "max_value"):
            limit = getattr(self, name)
            if limit is None:
                continue
            if is_token(limit):
                yield from literal(name, limit)
            elif self.type not in _NUMERIC and not is_token(self.type):
                remedy = "leave it out, or make the column a number"
                yield Problem(name, "is only for a number or an integer", limit, remedy)
            # Not math.isfinite, which cannot read a whole number above 1e308.
            elif not -math.inf < limit < math.inf:
                yield Problem(name, "must be a finite number", limit, "give a number")
        if self.min_value is None or self.max_value is None or is_token([self.min_value, self.max_value]):
            return
        if self.min_value > self.max_value:
            yield Problem("min_value", f"must be at most max_value ({self.max_value})", self.min_value, "swap them")

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, as in a contract that is uploaded with the data."""
        return {
            "name": self.name,
            "type": self.type,
            "min_value": self.min_value,
            "max_value": self.max_value,
            "allowed_values": None if self.allowed_values is None else list(self.allowed_values),
            "nullable": self.nullable,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DataContract(Part):
    """What a data set must contain before anything is spent on training. Literal.

    CSV, TSV, JSON and NumPy arrays are inspected; Parquet and other formats are left to the algorithm. A data set may
    have a contract of its own, which can only tighten this one: a JSON object with the same fields, named in the
    manifest as ``contract``, or uploaded beside a single object as ``<object>.contract.json``.

    Attributes:
        columns: In the order of the file; an empty list leaves the columns unchecked.
        header: Whether each CSV file begins with the column names. SageMaker's own CSV format has no header.
        label: Name of the column to predict, or None for the first one.
        min_rows: Minimum number of rows in the channel ``train``, 1 or more.
        min_class_share: Minimum share of each class in the channel ``train``, 0.0 to 0.5.
    """

    columns: Sequence[Column] = ()
    header: bool = False
    label: str | None = None
    min_rows: int = 2
    min_class_share: float = 0.0

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for index, column in enumerate(self.columns):
            yield from under(f"columns[{index}]", column.problems())
        names = [column.name for column in self.columns]
        for name in sorted({name for name in names if names.count(name) > 1}, key=str):
            yield Problem("columns", "must not repeat a column name", name, "rename one")
        yield from boolean("header", self.header)
        if is_token(self.label):
            yield from literal("label", self.label)
        elif self.label is not None and self.label not in names and not is_token(names):
            yield Problem(
                "label", "must be the name of a column in columns", self.label, "add it to columns, or correct the name"
            )
        if self.header is True and not names:
            yield Problem("header", "needs columns to be compared with", True, "list the columns")
        yield from in_range("min_rows", self.min_rows, 1, 10**12)
        yield from in_range("min_class_share", self.min_class_share, 0.0, 0.5)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, as in a contract that is uploaded with the data."""
        return {
            "columns": [column.to_json() for column in self.columns],
            "header": self.header,
            "label": self.label,
            "min_rows": self.min_rows,
            "min_class_share": self.min_class_share,
        }
