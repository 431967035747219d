"""The checks that configuration parts share.

Parts yield their problems; only the root raises, once. A *literal* must be known at synth, because it is validated
here; a *reference* (ARN, name of an existing resource) may be a CDKTF token and is never inspected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        return any(is_token(item) for pair in value.items() for item in pair)
    return False


def literal(field: str, value: object) -> Iterator[Problem]:
    """Refuse a token where the value is validated at synth."""
    if is_token(value):
        yield Problem(field, "must be known at synth", "a token", "give a literal, not a reference")


def one_of(field: str, value: object, choices: Sequence[str]) -> Iterator[Problem]:
    """Require one of several words."""
    if is_token(value):
        yield from literal(field, value)
    elif value not in choices:
        *first, last = map(repr, choices)
        yield Problem(field, f"must be {', '.join(first)} or {last}", value, "choose one")


def boolean(field: str, value: object) -> Iterator[Problem]:
    """Require True or False; a reference to a boolean is an object that is always true."""
    if not isinstance(value, bool):
        rule = "must be known at synth, True or False"
        yield Problem(field, rule, "a token" if is_token(value) else value, "give a literal, not a reference")


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


def bucket_name(field: str, name: str) -> Iterator[Problem]:
    """Require the name of an existing bucket, where it is known: it may be a token.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not is_token(name):
        pattern, rule = r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "must be the name of a bucket, not an ARN or URI"
        yield from matches(field, name, pattern, rule, "use for example 'team-data'")


def instance_type(field: str, value: str) -> Iterator[Problem]:
    """Require the form of a SageMaker instance type."""
    remedy = "use for example 'ml.m5.large'"
    yield from matches(field, value, r"ml\.[a-z0-9-]+\.[a-z0-9]+", "must look like 'ml.<family>.<size>'", remedy)
