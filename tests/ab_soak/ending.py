"""The end of a run: faults are over, and everything can be brought to a good end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soaks import check

from ab_soak.execution import FAILED, IN_PROGRESS
from ab_soak.steps import Step

if TYPE_CHECKING:
    from ab_soak.pipeline import Outcome
    from ab_soak.run import Run

_TRIES = 4


def end_well(run: Run) -> None:
    """Release once more, remove the challenger, then delete the stack: nothing is left.

    Raises BrokenError when a step neither succeeds nor names the command that mends it.
    """
    for execution in run.pipeline.executions:
        if execution.status == IN_PROGRESS:
            execution.status = FAILED
    run.told.append("the end")
    outcome = _mended(run, Step("release"))
    check(outcome.done, f"no release succeeds any more: {outcome.said}")
    outcome = _mended(run, Step("clean"))
    check(outcome.done, f"no clean-up succeeds any more: {outcome.said}")
    variants = run.world.weights()
    check(len(variants) == 1, f"an abort leaves {variants}")
    check(run.world.record().intent is None, "an abort leaves an intent")
    _remove(run)


def _mended(run: Run, step: Step) -> Outcome:
    """Do a step; when it fails, do what it says, and try again."""
    outcome = run.do(step)
    for _ in range(_TRIES):
        if outcome is None or outcome.done:
            break
        if "mlops ab abort" in outcome.said and step.what != "clean":
            run.do(Step("clean"))
        elif "mlops ab shift" in outcome.said:
            run.do(Step("shift", number=50))
        elif "etry the stage" in outcome.said:
            run.do(Step("resume", number=1))
        outcome = run.do(step)
    assert outcome is not None
    return outcome


def _remove(run: Run) -> None:
    world = run.world
    world.account.client("cloudformation").delete_stack(StackName=run.pipeline.production)
    world.until(lambda: run.pipeline.stage.production_of().stack() is None)
    for kind, names in world.resources().items():
        check(not names, f"after the stack is deleted, there are {kind} {sorted(names)}")
    world.forget()
