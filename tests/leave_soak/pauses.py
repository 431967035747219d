"""Pauses of a history: an endpoint goes away and comes back, whatever interrupts the command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ab_soak.calls import KILLED_AFTER, KILLED_BEFORE, LOST, REFUSED, Fault, Process
from ab_soak.steps import Step
from soaks import BrokenError

from mlops_constructs.deployed.pause import Pause

if TYPE_CHECKING:
    from random import Random

    from ab_soak.pipeline import Outcome

    from leave_soak.site import Site

PAUSE, RESUME, RELEASE = "pause", "resume", "release"
# Calls of a command, each with how often it makes such a call.
_OPERATIONS = {"GetPipelineState": 1, "DescribeStacks": 4, "UpdateStack": 1, "DescribeEndpoint": 1}
_MODES = (KILLED_BEFORE, KILLED_AFTER, LOST, REFUSED)
_MOST = 3
# Why nobody may pause, or resume, a pipeline with such a history.
_REFUSED = re.compile(
    "has a challenger beside the champion|does not exist|(_FAILED|ROLLBACK_COMPLETE), so it cannot be changed"
)


@dataclass(frozen=True)
class Attempt:
    """One command.

    Attributes:
        what: ``pause``, ``resume``, or a release, which brings the endpoint back too.
        fault: What interrupts it.
    """

    what: str
    fault: Fault | None = None


def attempts(draw: Random, most: int = _MOST) -> list[Attempt]:
    """Draw commands, each of which may be interrupted between any two calls."""
    return [_attempt(draw) for _ in range(draw.randint(0, most))]


def _attempt(draw: Random) -> Attempt:
    what = draw.choice((PAUSE, PAUSE, RESUME))
    if draw.random() < 0.4:
        return Attempt(what)
    operation = draw.choice(list(_OPERATIONS))
    return Attempt(what, Fault(draw.choice(_MODES), operation, draw.randint(1, _OPERATIONS[operation])))


def attempt(site: Site, one: Attempt) -> Outcome:
    """Run a command; one that nothing interrupts does what it says, or says why nothing may be done."""
    if one.what == RELEASE:
        released = site.run.do(Step(RELEASE))
        assert released is not None
        return released
    command = Pause(site.deployed(), poll_seconds=0.02)
    run = command.pause if one.what == PAUSE else command.resume
    outcome = site.run.pipeline.command(lambda: run(site.production), Process(one.fault))
    if outcome.done:
        status = site.run.world.endpoint().get("EndpointStatus", "gone")
        if status != ("gone" if one.what == PAUSE else "InService"):
            raise BrokenError(f"after {one}, the endpoint is {status}")
    elif one.fault is None and not _REFUSED.search(outcome.said):
        raise BrokenError(f"{one} is not refused, but: {outcome.said}")
    return outcome


def interlude(draw: Random) -> list[Attempt]:
    """Draw a pause in the middle of a history: in the end, the endpoint is back."""
    back = draw.choice(([], [], [Attempt(RELEASE)]))
    return [*attempts(draw, _MOST - 1), *back, Attempt(RESUME)]
