"""The errors that this library raises, and what each means.

MlopsError
├── ConfigError      the arguments break a rule (also a ValueError); raised once, at synth, with all problems
├── PayloadError     lambdas/ or container/ cannot be found in this installation: a broken install
└── RehearsalError   a rehearsal on this machine cannot start or did not succeed
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule.

    Attributes:
        field: Path of the argument, such as ``training.instance_type``.
        rule: What must hold, such as ``must start with 'ml.'``.
        got: The value that was given.
        remedy: What to do about it.
    """

    field: str
    rule: str
    got: object
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}, got {self.got!r}; {self.remedy}"


def under(name: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems of a part, each with the name of the part before its field."""
    for problem in problems:
        yield replace(problem, field=f"{name}.{problem.field}")


class MlopsError(Exception):
    """Base of every error this library raises on purpose."""


class ConfigError(MlopsError, ValueError):
    """The arguments of a construct break one or more rules; the message lists them all.

    Attributes:
        problems: Every broken rule, in the order of the arguments.
    """

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(f"{subject} has {count}:{lines}")


class PayloadError(MlopsError):
    """Files to deploy (``lambdas/``, ``container/``) are missing from this installation."""


class RehearsalError(MlopsError):
    """A rehearsal cannot start, or ended without a production endpoint."""
