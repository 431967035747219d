"""When an endpoint needs all of its instances."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ._part import Part
from ._rules import in_range, matches
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_DAY = "|".join(DAYS)
_SPAN = rf"(?:{_DAY})(?:-(?:{_DAY}))?"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
# Application Auto Scaling takes canonical names: of a region of the world, or UTC and fixed offsets of it.
# https://www.joda.org/joda-time/timezones.html
_ZONE = re.compile(
    r"UTC|Etc/GMT[+-]\d{1,2}|(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/.+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours(Part):
    """Fewer instances outside the office hours: two scheduled actions of Application Auto Scaling.

    At ``begin``, autoscaling gets its ``min_capacity`` and ``max_capacity``, at ``end`` those for outside; instances
    are then added or removed. Outside, the endpoint still responds: to delete it for a while, use ``mlops pause``.
    https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-policy-overview.html

    Attributes:
        days: Days with office hours: days, spans and lists, such as ``MON-FRI`` or ``MON,WED-FRI``. Literal.
        begin: When they begin, such as ``07:00``. Literal.
        end: When they end on the same day, later than ``begin``. Literal.
        time_zone: Time zone of both, by its IANA name, such as ``Europe/Berlin``; a change to summer time is followed.
            Literal.
        min_capacity_outside: Minimum number of instances outside, 1 to 1,000. A canary or linear rollout needs 2, as a
            release may come outside the office hours. Literal.
        max_capacity_outside: Maximum number of instances outside, ``min_capacity_outside`` to 1,000. Literal.
    """

    days: str = "MON-FRI"
    begin: str = "07:00"
    end: str = "19:00"
    time_zone: str = "UTC"
    min_capacity_outside: int = 1
    max_capacity_outside: int = 1

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from matches(
            "days", self.days, rf"{_SPAN}(?:,{_SPAN})*", f"must be days out of {', '.join(DAYS)}", "use 'MON-FRI'"
        )
        rule = "must be a time HH:MM, 00:00 to 23:59"
        wrong = [*matches("begin", self.begin, _TIME, rule, "use '07:00'")]
        wrong += matches("end", self.end, _TIME, rule, "use '19:00'")
        yield from wrong
        if not wrong and self.end <= self.begin:
            yield Problem(
                "end", f"must be later than begin ({self.begin}), on the same day", self.end, "choose a later time"
            )
        yield from self._time_zone_problems()
        least, most = self.min_capacity_outside, self.max_capacity_outside
        yield from in_range("min_capacity_outside", least, 1, 1000)
        yield from in_range("max_capacity_outside", most, 1, 1000)
        if not is_token([least, most]) and most < least:
            rule = f"must be at least min_capacity_outside ({least})"
            yield Problem("max_capacity_outside", rule, most, "raise it")

    @property
    def share(self) -> float:
        """The share of a week that is within the office hours."""
        hours, minutes = (
            int(later) - int(earlier) for earlier, later in zip(self.begin.split(":"), self.end.split(":"), strict=True)
        )
        return len(self._days()) * (60 * hours + minutes) / (7 * 24 * 60)

    @property
    def outside(self) -> dict[str, float]:
        """The capacities outside, as CloudFormation calls them, and the ``Share`` of a week that is within."""
        return {
            "MinCapacity": self.min_capacity_outside,
            "MaxCapacity": self.max_capacity_outside,
            "Share": round(self.share, 6),
        }

    def cron(self, time: str) -> str:
        """Return the schedule of ``begin`` or ``end``."""
        hour, minute = map(int, time.split(":"))
        return f"cron({minute} {hour} ? * {self.days} *)"

    def _days(self) -> set[int]:
        found = set()
        for span in self.days.split(","):
            first, _, last = span.partition("-")
            begin, end = DAYS.index(first), DAYS.index(last or first)
            found |= {day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))}
        return found

    def _time_zone_problems(self) -> Iterator[Problem]:
        rule, remedy = "must be the canonical IANA name of a time zone", "use for example 'Europe/Berlin' or 'UTC'"
        found = list(matches("time_zone", self.time_zone, _ZONE.pattern, rule, remedy))
        yield from found
        # Here, because it loads what is slow to load. A machine without a time zone database has none to compare with.
        from zoneinfo import available_timezones

        known = available_timezones()
        if known and not found and not is_token(self.time_zone) and self.time_zone not in known:
            yield Problem("time_zone", "is not a time zone of the IANA database", self.time_zone, remedy)
