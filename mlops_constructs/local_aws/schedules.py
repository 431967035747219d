"""Schedules of EventBridge rules and of Application Auto Scaling: when they are due.

https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

_RATE = re.compile(r"rate\((?:1 (minute|hour|day)|([2-9]|[1-9]\d+) (minute|hour|day)s)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_MINUTE = timedelta(minutes=1)
_UNITS = {"minute": _MINUTE, "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Field to its least and greatest value; names count from the least.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4


class ScheduleError(ValueError):
    """A schedule that AWS refuses, or that the local AWS does not know; says why."""


@dataclass(frozen=True)
class Schedule:
    """A schedule.

    Attributes:
        zone: Its time zone.
        every: The interval of a rate; None for others.
        at: The one time, in its time zone; None for others.
        fields: The values of each field of a cron expression; empty for others.
    """

    zone: ZoneInfo
    every: timedelta | None = None
    at: datetime | None = None
    fields: tuple[frozenset[int], ...] = ()

    @classmethod
    def parse(cls, text: str, zone: str | None) -> Schedule:
        """Read ``at(...)``, ``rate(...)`` or ``cron(...)``. Raises ScheduleError."""
        if zone is not None and zone not in available_timezones():
            raise ScheduleError(f"{zone!r} is not a time zone")
        where = ZoneInfo(zone or "UTC")
        if match := _RATE.fullmatch(text):
            return cls(where, every=_UNITS[match[1] or match[3]] * int(match[2] or 1))
        if match := _AT.fullmatch(text):
            return cls(where, at=datetime.fromisoformat(match[1]).replace(tzinfo=where))
        match = _CRON.fullmatch(text)
        if match is None:
            raise ScheduleError(f"{text!r} is neither at(...), rate(...) nor cron(...)")
        return cls(where, fields=_cron(match[1].split()))

    def latest(self, after: datetime, until: datetime, created: datetime) -> datetime | None:
        """Return when it was due last, later than ``after`` and not later than ``until``; None when it was not."""
        if self.every is not None:
            count = (until - created) // self.every
            due = created + count * self.every
            return due if count > 0 and due > after else None
        if self.at is not None:
            return self.at if after < self.at <= until else None
        moment = until.replace(second=0, microsecond=0)
        while moment > after:
            if self._matches(moment.astimezone(self.zone)):
                return moment
            moment -= _MINUTE
        return None

    def first(self, after: datetime, until: datetime, created: datetime) -> datetime | None:
        """Return when it is due first, later than ``after`` and not later than ``until``; None when it is not."""
        if self.every is not None:
            due = created + max(1, (after - created) // self.every + 1) * self.every
            return due if due <= until else None
        if self.at is not None:
            return self.at if after < self.at <= until else None
        moment = after.replace(second=0, microsecond=0) + _MINUTE
        while moment <= until:
            local = moment.astimezone(self.zone)
            if self._matches(local):
                return moment
            moment += _MINUTE if self._is_in_hour(local) else timedelta(minutes=60 - local.minute)
        return None

    def _is_in_hour(self, local: datetime) -> bool:
        """Whether it may be due in the hour of a moment."""
        minutes = self.fields[0]
        return bool(minutes) and self._matches(local.replace(minute=min(minutes)))

    def _matches(self, local: datetime) -> bool:
        day = local.isoweekday() % 7 + 1
        values = (local.minute, local.hour, local.day, local.month, day, local.year)
        return all(value in field for value, field in zip(values, self.fields, strict=True))


def _cron(parts: list[str]) -> tuple[frozenset[int], ...]:
    if len(parts) != len(_FIELDS):
        raise ScheduleError(f"cron has {len(_FIELDS)} fields: {', '.join(field[0] for field in _FIELDS)}")
    if [parts[_DAY_OF_MONTH], parts[_DAY_OF_WEEK]].count("?") != 1:
        raise ScheduleError("exactly one of day of month and day of week must be ?")
    return tuple(_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True))


def _values(part: str, name: str, least: int, most: int, names: tuple[str, ...]) -> frozenset[int]:
    everything = frozenset(range(least, most + 1))
    if part == "*" or (part == "?" and name.startswith("day")):
        return everything
    found: set[int] = set()
    for item in part.split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        begin = least if first == "*" else _value(first, name, least, names)
        end = _value(last, name, least, names) if dash else (most if step or first == "*" else begin)
        if not (least <= begin <= most and least <= end <= most) or (step and not re.fullmatch(r"[1-9]\d*", step)):
            raise ScheduleError(f"{name}: {item!r} is not within {least} to {most}")
        # FRI-MON goes over the end of the week.
        span_values = range(begin, end + 1) if begin <= end else (*range(begin, most + 1), *range(least, end + 1))
        found |= set(span_values[:: int(step or 1)])
    return frozenset(found)


def _value(text: str, name: str, least: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + least
    if not re.fullmatch(r"\d+", text):
        raise ScheduleError(f"{name}: the local AWS does not know {text!r}")
    return int(text)
