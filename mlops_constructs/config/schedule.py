"""EventBridge's schedule expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import literal
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9]\d+) (?:minutes|hours|days))\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_FIELD = re.compile(r"[\dA-Z*?,\-/#LW]+")


def schedule_problems(field: str, value: str) -> Iterator[Problem]:
    """Yield what is wrong with ``rate(...)`` or ``cron(...)``.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    if is_token(value):
        yield from literal(field, value)
        return
    if isinstance(value, str) and _RATE.fullmatch(value):
        return
    match = _CRON.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        remedy = "use for example 'rate(1 day)', 'rate(12 hours)' or 'cron(0 6 ? * MON *)', in UTC"
        yield Problem(field, "must be a rate or cron expression of EventBridge", value, remedy)
        return
    parts = match[1].split(" ")
    if len(parts) != 6 or not all(map(_FIELD.fullmatch, parts)):
        rule = "cron must have 6 fields: minutes hours day-of-month month day-of-week year"
        yield Problem(field, rule, value, "use for example 'cron(0 6 ? * MON *)'")
    elif [parts[2], parts[4]].count("?") != 1:
        rule = "cron must have '?' as exactly one of day-of-month and day-of-week"
        yield Problem(field, rule, value, "use for example 'cron(0 6 ? * MON *)'")
