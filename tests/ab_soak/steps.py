"""The steps of a run, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from soaks import short

from ab_soak.account import EXITS, SICK
from ab_soak.calls import KILLED_AFTER, KILLED_BEFORE, LOST, OVERTAKEN, REFUSED, TWICE, Fault
from ab_soak.edits import EDITS
from ab_soak.pipeline import FLEETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RETRY, RESTART, HANG, FAIL = "retry", "restart", "hang", "fail"
GOOD = "good"
COMMANDS = ("shift", "abort", "guard")
# Operations that are disturbed, each with how often a step makes such a call; those that change something more often.
_OF_EXECUTIONS = {
    "PutObject": 5,
    "UpdateEndpointWeightsAndCapacities": 2,
    "CreateChangeSet": 2,
    "ExecuteChangeSet": 2,
    "DescribeChangeSet": 3,
    "DescribeEndpoint": 8,
    "DescribeStacks": 8,
    "GetObject": 8,
    "InvokeEndpoint": 1,
}
_OF_COMMANDS = {"PutObject": 3, "UpdateEndpointWeightsAndCapacities": 1, "DescribeEndpoint": 5, "GetObject": 2}
_CHANGING = ("PutObject", "UpdateEndpointWeightsAndCapacities", "CreateChangeSet", "ExecuteChangeSet")
# How often each fault is drawn.
_MODES = {KILLED_BEFORE: 4, KILLED_AFTER: 4, LOST: 3, REFUSED: 2, TWICE: 1, OVERTAKEN: 6}
# What the network repeats.
_REPEATED = ("PutObject", "UpdateEndpointWeightsAndCapacities")


@dataclass(frozen=True, repr=False)
class Trouble:
    """What disturbs a step.

    Attributes:
        fault: What happens to one of its calls.
        then: What becomes of an execution whose action was killed: the action runs again (``retry``), or the stage
            (``restart``); it is in progress (``hang``) or fails (``fail``), until something else happens.
        others: What somebody else does just before the call: a command, or ``release``.
    """

    fault: Fault | None = None
    then: str = RETRY
    others: str = ""

    def __repr__(self) -> str:
        """Return what makes it."""
        return short(self)


CALM = Trouble()


@dataclass(frozen=True, repr=False)
class Step:
    """A step.

    Attributes:
        what: One of the steps of ``_WEIGHTS``.
        trouble: What disturbs it.
        model: For a release: ``good``, ``exits`` or ``sick``.
        fleet: For a release: its fleet, see ``FLEETS``.
        alarm: Whether an alarm is in ALARM meanwhile.
        number: For a rollback: which release; for a shift: percent; for a resumption: 1 for the whole stage.
        edit: For an edit: what is changed by hand, see ``EDITS``.
        probe: For an edit: what is tried then.
    """

    what: str = "status"
    trouble: Trouble = CALM
    model: str = GOOD
    fleet: str = ""
    alarm: bool = False
    number: int = 0
    edit: str = ""
    probe: str = ""

    def __repr__(self) -> str:
        """Return what makes it."""
        return short(self)


# How often each step is drawn.
_WEIGHTS = {
    "release": 28,
    "shift": 14,
    "promote": 14,
    "edit": 12,
    "clean": 7,
    "rollback": 7,
    "resume": 7,
    "abort": 5,
    "guard": 5,
    "wait": 3,
    "status": 2,
}
_PROBES = ("release", "release", "shift", "abort", "guard", "promote", "status")
_FEWEST, _MOST = 5, 11


def run_of(seed: str) -> list[Step]:
    """Draw the steps of a run: those of a seed are always the same."""
    draw = Random(seed)
    kinds = draw.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=draw.randint(_FEWEST, _MOST))
    return [_step(draw, kind) for kind in kinds]


def _step(draw: Random, kind: str) -> Step:
    if kind in ("shift", "abort", "guard"):
        trouble = _trouble(draw, _OF_COMMANDS, (*COMMANDS, "release"))
        return Step(kind, trouble, number=draw.randint(1, 99) if kind == "shift" else 0)
    if kind == "edit":
        return Step(kind, edit=draw.choice(list(EDITS)), probe=draw.choice(_PROBES))
    if kind in ("wait", "status"):
        return Step(kind)
    trouble = _trouble(draw, _OF_EXECUTIONS, COMMANDS)
    alarm = draw.random() < 0.12
    if kind == "release":
        model = draw.choices((GOOD, EXITS, SICK), (20, 3, 1))[0]
        return Step(kind, trouble, model, draw.choice(["", "", *FLEETS]), alarm)
    number = {"rollback": draw.randint(0, 3), "resume": draw.randint(0, 1)}.get(kind, 0)
    return Step(kind, trouble, alarm=alarm and kind == "promote", number=number)


def _trouble(draw: Random, operations: Mapping[str, int], others: Sequence[str]) -> Trouble:
    if draw.random() < 0.3:
        return CALM
    mode = draw.choices(list(_MODES), list(_MODES.values()))[0]
    changing = [one for one in operations if one in _CHANGING]
    names = _REPEATED if mode == TWICE else changing if draw.random() < 0.7 else list(operations)
    operation = draw.choice(names)
    fault = Fault(mode, operation, draw.randint(1, operations[operation]))
    if mode == OVERTAKEN:
        return Trouble(fault, others=draw.choice(others))
    return Trouble(fault, draw.choice((RETRY, RESTART, HANG, FAIL)))
