"""Many runs in one process, each drawn from a seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from soaks import place, prepare

from ab_soak.account import Account
from ab_soak.breaks import BREAKS
from ab_soak.run import Run
from ab_soak.steps import run_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ab_soak.steps import Step

_REPORT_RUNS = 25


@dataclass
class Result:
    """What a process has found.

    Attributes:
        runs: How many runs it made.
        steps: How many steps these had.
        fired: How often each fault happened.
        failure: What a run has found, with its steps; empty when there is nothing.
    """

    runs: int = 0
    steps: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    failure: str = ""


class Soak:
    """The runs of one process."""

    def __init__(self, account: Account, prefix: str) -> None:
        """Run in this account; names of pipelines have this prefix."""
        self.result = Result()
        self._account, self._prefix = account, prefix

    def play(self, steps: Sequence[Step]) -> str:
        """Do one run; return what it has found, empty when it has found nothing."""
        result = self.result
        result.runs += 1
        run = Run(self._account, f"{self._prefix}-{result.runs}")
        try:
            run.play(steps)
        except Exception as error:
            told = "\n".join(run.told)
            return f"{type(error).__name__}: {error}{place(error)}\n{told}\nto repeat it: {list(steps)!r}\n"
        finally:
            result.steps += sum(line.startswith("Step(") for line in run.told)
            result.fired = self._account.calls.fired
        return ""

    def shrink(self, steps: Sequence[Step], failure: str) -> str:
        """Look for fewer steps that fail too, each left out once, the last one first; return what these have found."""
        steps, number = list(steps), len(steps) - 1
        while number >= 0:
            fewer = [*steps[:number], *steps[number + 1 :]]
            found = self.play(fewer)
            if found:
                steps, failure = fewer, found
            number -= 1
        return failure


def soak(number: int, seeds: Sequence[str], broken: str | None) -> Result:
    """Make runs until one fails; then look for the fewest steps.

    Args:
        number: Number of the process.
        seeds: The seed of each run.
        broken: Name of what is broken on purpose.
    """
    prepare()
    with Account() as account, BREAKS[broken or ""]():
        runner = Soak(account, f"p{number}")
        for done, seed in enumerate(seeds):
            if done and not done % _REPORT_RUNS:
                print(f"process {number}: {done} of {len(seeds)} runs", flush=True)
            steps = run_of(seed)
            failure = runner.play(steps)
            if failure:
                print(f"the run {seed} has failed; fewer steps are looked for\n{failure}", flush=True)
                runner.result.failure = runner.shrink(steps, failure)
                break
        return runner.result
