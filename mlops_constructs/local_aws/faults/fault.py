"""What all faults have in common: when they happen, and what they remember of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.faults.spec import Parameter, at_least

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from mlops_constructs.local_aws.hooks import ApiCall, Program
    from mlops_constructs.local_aws.local_aws import LocalAws


def _chance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise ValueError("must be a number above 0, at most 1")
    return value


TIMES = Parameter("times", "how often it happens", at_least(1), 1)
NTH = Parameter("nth", "the first of the matching ones that it happens to", at_least(1), 1)
CHANCE = Parameter("chance", "how probable it is for each; the seed decides", _chance, 1.0)
WHEN = (TIMES, NTH, CHANCE)


@dataclass(frozen=True)
class Firing:
    """A fault has happened.

    Attributes:
        at: When.
        what: What has happened, and to which thing.
    """

    at: datetime
    what: str


class Fault:
    """One fault, from when it was injected to ``end()``.

    Attributes:
        text: As it is written for ``--fault``.
        firings: When it has happened, and what.
        problem: Why it could not happen when it was due; empty otherwise.
    """

    def __init__(self, text: str, values: dict[str, Any], random: Random) -> None:
        self.text = text
        self.problem = ""
        self.values = values
        self.random = random
        self.lock = threading.RLock()
        self._firings: list[Firing] = []
        self._seen = 0
        self._planned = 0
        self._ended = False
        self._told: Callable[[Fault, Firing], object] = lambda _fault, _firing: None

    @property
    def firings(self) -> tuple[Firing, ...]:
        """When it has happened, and what."""
        with self.lock:
            return tuple(self._firings)

    @property
    def fired(self) -> int:
        """How often it has happened."""
        return len(self.firings)

    def end(self) -> None:
        """Let it happen no more. What it has changed stays changed."""
        with self.lock:
            self._ended = True

    def due(self) -> bool:
        """Count one more thing that it could happen to; return whether it happens now."""
        with self.lock:
            self._seen += 1
            wanted = self._seen >= self.values.get("nth", 1) and self._planned < self.values.get("times", 1)
            if self._ended or not wanted or self.random.random() >= self.values.get("chance", 1.0):
                return False
            self._planned += 1
            return True

    def fire(self, what: str) -> None:
        """Remember that it has happened."""
        firing = Firing(utc_now(), what)
        with self.lock:
            self._firings.append(firing)
        self._told(self, firing)

    def listen(self, told: Callable[[Fault, Firing], object]) -> None:
        """Call ``told`` each time that it happens, in the thread in which it happens."""
        self._told = told

    def install(self, aws: LocalAws) -> None:
        """Prepare it, as soon as it is injected."""

    def around(self, call: ApiCall, proceed: Callable[[], Any]) -> Any:
        """See `Hooks.around`."""
        return proceed()

    def emitted(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """See `Hooks.emitted`."""
        return [event]

    def invoked(self, function: str) -> int:
        """See `Hooks.invoked`."""
        return 1

    def clock_ahead(self, function: str) -> float:
        """See `Hooks.clock_ahead`."""
        return 0.0

    def asked(self, pipeline: str, action: str) -> None:
        """See `Hooks.asked`."""

    def started(self, program: Program) -> None:
        """See `Hooks.started`."""

    def baking(self, endpoint: str, alarms: list[str]) -> None:
        """See `Hooks.baking`."""

    def over_quota(self, quota: str) -> None:
        """See `Hooks.over_quota`."""

    def noticed(self, event: dict[str, Any]) -> None:
        """A service announces an event, before it goes on."""


def fits(pattern: str, *names: str) -> bool:
    """Whether a name is meant by a pattern: the name, a part of it between hyphens, or with ``*`` a glob."""
    wanted = pattern.replace("_", "-").lower()
    for name in names:
        there = name.replace("_", "-").lower()
        if fnmatchcase(there, wanted) or f"-{wanted}-" in f"-{there}-":
            return True
    return False
