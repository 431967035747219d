"""The checks that configuration parts share.

Parts yield their problems; only the root raises, once. A *literal* must be known at synth, because it is judged
here; a *reference* (ARN, name of an existing thing) may be a CDKTF token and is never looked into.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRING_TOKEN = re.compile(r"[$#]\{(?:Tf)?Token\[")
# CDKTF encodes a number token as a float just above the most negative double.
_NUMBER_TOKEN_BELOW = -1e290


def is_token(value: object) -> bool:
    """Tell whether ``value`` is, or holds, a CDKTF token: a value that only Terraform will know."""
    if isinstance(value, str):
        return _STRING_TOKEN.search(value) is not None
    if isinstance(value, (int, float)):
        return value < _NUMBER_TOKEN_BELOW
    if isinstance(value, (list, tuple)):
        return any(is_token(item) for item in value)
    if isinstance(value, dict):
        return any(is_token(item) for item in value.values())
    return False


def literal(field: str, value: object) -> Iterator[Problem]:
    """Refuse a token where the value is judged at synth."""
    if is_token(value):
        yield Problem(field, "must be known at synth", "a token", "give a literal, not a reference")


def in_range(field: str, value: float, low: float, high: float, unit: str = "") -> Iterator[Problem]:
    """Require ``low <= value <= high``, both in ``unit``."""
    if is_token(value):
        yield from literal(field, value)
    elif isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        rule = f"must be {low} to {high}{f' {unit}' if unit else ''}"
        yield Problem(field, rule, value, "choose a number in that range")


def matches(field: str, value: str, pattern: str, rule: str, remedy: str) -> Iterator[Problem]:
    """Require the whole of ``value`` to match ``pattern``."""
    if is_token(value):
        yield from literal(field, value)
    elif not isinstance(value, str) or re.fullmatch(pattern, value) is None:
        yield Problem(field, rule, value, remedy)


def instance_type(field: str, value: str) -> Iterator[Problem]:
    """Require the form of a SageMaker instance type."""
    remedy = "use for example 'ml.m5.large'"
    yield from matches(field, value, r"ml\.[a-z0-9-]+\.[a-z0-9]+", "must look like 'ml.<family>.<size>'", remedy)
