"""The checks that configuration parts share.

Parts yield their problems; only the root raises, once. A *literal* must be known at synth, because it is validated
here; a *reference* (ARN, name of an existing resource) may be a CDKTF token and is never inspected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Problem
from ._tokens import is_list_token, is_reference, is_token, names_terraform, reference_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KNOWN = "must be known at synth"
_LITERAL = "give a literal, not a reference"


def literal(field: str, value: object) -> Iterator[Problem]:
    """Refuse a token where the value is validated at synth."""
    if is_token(value):
        yield Problem(field, _KNOWN, "a token", _LITERAL)


def text(field: str, value: object) -> Iterator[Problem]:
    """Refuse a reference in a text that Terraform never sees; ``${`` alone is a text like any other."""
    if is_token(value):
        yield from literal(field, value)
    elif isinstance(value, str) and names_terraform(value):
        yield Problem(field, _KNOWN, value, _LITERAL)


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
        yield Problem(field, rule, "a token" if is_token(value) else value, _LITERAL)


def in_range(field: str, value: float, low: float, high: float, unit: str = "") -> Iterator[Problem]:
    """Require ``low <= value <= high``, both in ``unit``."""
    if is_token(value):
        yield from literal(field, value)
    elif isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        rule = f"must be {low} to {high}{f' {unit}' if unit else ''}"
        yield Problem(field, rule, value, "choose a number in that range")


def matches(field: str, value: object, pattern: str, rule: str, remedy: str) -> Iterator[Problem]:
    """Require the whole of ``value`` to match ``pattern``."""
    if is_token(value):
        yield from literal(field, value)
    elif is_reference(value):
        yield Problem(field, _KNOWN, value, _LITERAL)
    elif not isinstance(value, str) or re.fullmatch(pattern, value) is None:
        yield Problem(field, rule, value, remedy)


def reference(field: str, value: str, pattern: str = r"(?s).+", rule: str = "", remedy: str = "") -> Iterator[Problem]:
    """Require a reference, whose value is not inspected, or a literal that matches ``pattern``."""
    fault = reference_fault(value)
    if fault is not None:
        yield Problem(field, fault[0], "a token" if is_token(value) else value, fault[1])
    elif not is_reference(value):
        yield from matches(field, value, pattern, rule or "must not be empty", remedy or "give it, or leave it out")


def references(field: str, values: Sequence[str]) -> Iterator[Problem]:
    """Require the same of each entry, unless the list as a whole is one reference."""
    if not is_list_token(values):
        for index, value in enumerate(values):
            yield from reference(f"{field}[{index}]", value)


def instance_type(field: str, value: str) -> Iterator[Problem]:
    """Require the form of a SageMaker instance type."""
    remedy = "use for example 'ml.m5.large'"
    yield from matches(field, value, r"ml\.[a-z0-9-]+\.[a-z0-9]+", "must look like 'ml.<family>.<size>'", remedy)
