"""Lets moto live by the clock of the local AWS."""

from __future__ import annotations

import datetime
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

# The modules of moto that ask Python for the time themselves, and the name by which each does. All others ask
# `moto.core.utils`.
SOURCES: Mapping[str, str] = {
    "moto.applicationautoscaling.models": "time",
    "moto.cloudwatch.models": "datetime",
    "moto.core.utils": "datetime",
    "moto.ecr.models": "datetime",
    "moto.s3.models": "datetime",
}


class _AnyDatetime(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime.datetime)


class AccountDatetime(datetime.datetime, metaclass=_AnyDatetime):
    """A datetime whose present is that of the account."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        """The time of day; without a time zone as UTC, which is the zone of the account."""
        return utc_now().replace(tzinfo=None) if tz is None else utc_now().astimezone(tz)

    @classmethod
    def today(cls) -> Any:
        """The time of day in UTC, without a time zone."""
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        """The time of day in UTC, without a time zone."""
        return cls.now()


def _copy(module: ModuleType, **changed: object) -> ModuleType:
    copy = ModuleType(module.__name__)
    vars(copy).update(vars(module))
    vars(copy).update(changed)
    return copy


_STAND_INS = {
    "datetime": _copy(datetime, datetime=AccountDatetime),
    "time": _copy(time, time=lambda: utc_now().timestamp()),
}


def set_clock_of_moto() -> None:
    """Replace what moto's modules ask for the time, in those that are loaded. Safe to call again."""
    for name, member in SOURCES.items():
        module = sys.modules.get(name)
        if module is not None:
            found = getattr(module, member)
            changed = AccountDatetime if isinstance(found, type) else _STAND_INS[member]
            setattr(module, member, changed)
