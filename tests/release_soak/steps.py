"""The steps of a run: what somebody does, and what goes wrong meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from soaks import short

from release_soak.site import GOOD

APPROVE, REJECT, WAIT = "approve", "reject", "wait"
RELEASE, DECIDE, STOP, INTERRUPT = "release", "decide", "stop", "interrupt"
# Where an execution is stopped: not when an action begins, but while a training runs that does not end by itself.
SLOW = "slow training"
RETRY, ROLLBACK, AGAIN, HAND = "retry", "rollback", "again", "hand"

# What an evaluation says: JSON, or what a program writes that means JSON.
SAYS = (
    GOOD,
    "1",
    "0.8",
    '{"value": 0.9}',
    "0.5",
    "0.7999999",
    "-1",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "true",
    "null",
    '"0.95"',
    '"<0.95"',
    '"95_0"',
    "[0.95]",
    '{"value": "0.95"}',
    "0.95.1",
    "",
)


@dataclass(frozen=True, repr=False)
class Step:
    """A step.

    Attributes:
        what: What somebody does.
        says: For a release: what the evaluation says.
        then: For a release, a rollback, a decision and a retry: what the approver answers.
        fault: What goes wrong meanwhile, as for ``--fault``.
        number: For a rollback, an event that comes again: which one, from the newest.
        thing: What is done by hand, see ``hands.HANDS``; for an interruption, the action at which the execution is
            stopped.
        whole: For a stop: at once, without waiting for the action; for a retry: all actions of the stage.
    """

    what: str = RELEASE
    says: str = GOOD
    then: str = APPROVE
    fault: str = ""
    number: int = 0
    thing: str = ""
    whole: bool = False

    def __repr__(self) -> str:
        """Return what makes it."""
        return short(self)
