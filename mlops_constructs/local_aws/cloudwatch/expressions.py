"""The part of metric math that the local AWS works out; everything else is refused by name.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Series = dict[float, float]
"""Beginning of a period to its value; a period without data is missing."""
Value = Series | float

_TOKENS = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(>=|<=|==|!=|[-+*/(),<>]))")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_FUNCTIONS = {"IF": 3, "FILL": 2}


class ExpressionError(ValueError):
    """An expression that CloudWatch, or the local AWS, does not work out."""


def work_out(text: str, series: Mapping[str, Series], periods: Sequence[float]) -> Series:
    """Return the value of an expression in each period in which it has one.

    Args:
        text: The expression.
        series: Id to the data of the metrics and other expressions that it may name.
        periods: The beginnings of the periods, for FILL and for numbers.

    Raises:
        ExpressionError: It is malformed, names an unknown id, or needs a function that is not implemented.
    """
    reader = _Reader(_tokens(text), text, series, periods)
    found = reader.comparison()
    if reader.next_token() is not None:
        raise ExpressionError(f"{text!r} cannot be read from {reader.next_token()!r} on")
    return found if isinstance(found, dict) else dict.fromkeys(periods, found)


def names_in(text: str) -> set[str]:
    """Return the ids that an expression names."""
    return {one for one in _tokens(text) if re.match(r"[a-z]", one)}


# An alarm is evaluated once a minute, also for each of the days that a clock was advanced.
@lru_cache(maxsize=256)
def _tokens(text: str) -> tuple[str, ...]:
    found, at = list[str](), 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKENS.match(stripped, at)
        if match is None:
            raise ExpressionError(f"the local AWS does not know {stripped[at:].strip()!r} in {text!r}")
        found.append(match[match.lastindex or 0])
        at = match.end()
    return tuple(found)


@dataclass
class _Reader:
    """Reads an expression from left to right, and works it out."""

    tokens: Sequence[str]
    text: str
    series: Mapping[str, Series]
    periods: Sequence[float]
    at: int = 0

    def next_token(self) -> str | None:
        """Return the token that is read next."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def comparison(self) -> Value:
        """Read a comparison, or what could be compared; it is 1 where it holds, otherwise 0."""
        left = self._sum()
        while (sign := self.next_token()) in _COMPARE:
            self.at += 1
            left = _both(left, self._sum(), _COMPARE[str(sign)])
        return left

    def _sum(self) -> Value:
        left = self._product()
        while (sign := self.next_token()) in ("+", "-"):
            self.at += 1
            left = _both(left, self._product(), operator.add if sign == "+" else operator.sub)
        return left

    def _product(self) -> Value:
        left = self._factor()
        while (sign := self.next_token()) in ("*", "/"):
            self.at += 1
            left = _both(left, self._factor(), operator.mul if sign == "*" else _quotient)
        return left

    def _factor(self) -> Value:
        token = self._take()
        if token == "-":
            return _both(0.0, self._factor(), operator.sub)
        if token == "(":
            found = self.comparison()
            self._take(")")
            return found
        if token[0].isdigit():
            return float(token)
        if token[0].isupper():
            return self._function(token)
        if token not in self.series:
            raise ExpressionError(f"{self.text!r} names {token!r}, which is no id of the alarm")
        return self.series[token]

    def _function(self, name: str) -> Value:
        if name not in _FUNCTIONS:
            raise ExpressionError(f"the local AWS does not implement the function {name} of metric math: {self.text!r}")
        self._take("(")
        given = [self.comparison()]
        while self.next_token() == ",":
            self.at += 1
            given.append(self.comparison())
        self._take(")")
        if len(given) != _FUNCTIONS[name]:
            raise ExpressionError(f"{name} takes {_FUNCTIONS[name]} arguments, not {len(given)}: {self.text!r}")
        return self._filled(*given) if name == "FILL" else self._chosen(*given)

    def _filled(self, value: Value, filler: Value) -> Value:
        if isinstance(filler, dict):
            raise ExpressionError(f"the local AWS implements FILL with a number only: {self.text!r}")
        return {at: value.get(at, filler) for at in self.periods} if isinstance(value, dict) else value

    def _chosen(self, condition: Value, yes: Value, no: Value) -> Value:
        if not isinstance(condition, dict):
            return yes if condition else no
        found = {}
        for at, holds in condition.items():
            value = yes if holds else no
            number = value.get(at) if isinstance(value, dict) else value
            if number is not None:
                found[at] = number
        return found

    def _take(self, wanted: str | None = None) -> str:
        token = self.next_token()
        if token is None or wanted not in (None, token):
            expected = f"{wanted!r} is missing in" if wanted else "the end is missing of"
            raise ExpressionError(f"{expected} {self.text!r}")
        self.at += 1
        return token


def _both(left: Value, right: Value, work: Callable[[float, float], float | None]) -> Value:
    """Apply an operation where both sides have a value."""
    if isinstance(left, dict):
        pairs = {at: (one, right.get(at) if isinstance(right, dict) else right) for at, one in left.items()}
    elif isinstance(right, dict):
        pairs = {at: (left, other) for at, other in right.items()}
    else:
        return float(work(left, right) or 0.0)
    found = {at: work(one, other) for at, (one, other) in pairs.items() if other is not None}
    return {at: float(value) for at, value in found.items() if value is not None}


def _quotient(left: float, right: float) -> float | None:
    """A quotient by 0 is missing."""
    return left / right if right else None
