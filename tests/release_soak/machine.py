"""The runs as a state machine of hypothesis, which draws the steps, and looks for fewer when a run fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from soaks import place

from release_soak.faults import faults_by_kind
from release_soak.hands import HANDS
from release_soak.run import Run
from release_soak.site import GOOD
from release_soak.steps import (
    AGAIN,
    APPROVE,
    DECIDE,
    HAND,
    INTERRUPT,
    REJECT,
    RELEASE,
    RETRY,
    ROLLBACK,
    SAYS,
    SLOW,
    STOP,
    WAIT,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_soak.site import Site

STEPS = 6
_REPORT_RUNS = 5
_ANSWERS = st.sampled_from((APPROVE, APPROVE, APPROVE, REJECT, WAIT))
_YES = st.sampled_from((APPROVE, APPROVE, REJECT))
_NUMBERS = st.integers(min_value=0, max_value=15)
_SAYS = st.sampled_from((GOOD, GOOD, GOOD, "NaN"))
# Each kind as often as another one.
_FAULTS = st.one_of(*(st.sampled_from(faults) for faults in faults_by_kind().values()))
# Actions at which an execution is stopped.
_ACTIONS = (
    "Dataset",
    "CheckDataset",
    "Train",
    "RunEvaluation",
    "Register",
    "Gate",
    "AwaitDev",
    "Deploy",
    "SmokeTest",
    "Evidence",
    "RecordApproval",
    "PrepareChangeSet",
    "ExecuteChangeSet",
    "RecordRelease",
    SLOW,
    SLOW,
)


@dataclass
class Result:
    """What a process has found.

    Attributes:
        runs: How many runs it made.
        steps: How many steps these had.
        fired: How often each kind of fault happened.
        failure: What the shortest run that failed has found, with its steps; empty when there is nothing.
        fewest: How many steps that run has.
    """

    runs: int = 0
    steps: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    fewest: int = 0

    def add(self, found: str, steps: int) -> None:
        """Keep what a run has found if it has fewer steps."""
        if not self.failure:
            # Runs with fewer steps can find something else.
            print(f"found:\n{found}", flush=True)
        if not self.failure or steps < self.fewest:
            self.failure, self.fewest = found, steps


class Machine(RuleBasedStateMachine):
    """It. A rule can always be applied: what is not possible does nothing, so that a seed always draws the same."""

    site: Site
    result: Result

    def __init__(self) -> None:
        """Begin a run."""
        super().__init__()
        self._run, self._taken, self._failed = Run(self.site, self.result.fired), list[Step](), False
        self.result.runs += 1
        if not self.result.runs % _REPORT_RUNS:
            print(f"{self.site.name}: {self.result.runs} runs, {self.result.steps} steps", flush=True)

    @rule()
    def release(self) -> None:
        """Release. The rule without arguments is the simplest one: it is drawn most often."""
        self._do(Step())

    @rule(says=_SAYS, then=_ANSWERS, fault=_FAULTS)
    def release_through_a_fault(self, says: str, then: str, fault: str) -> None:
        """Release, and one thing goes wrong."""
        self._do(Step(RELEASE, says=says, then=then, fault=fault))

    @rule(says=st.sampled_from(SAYS), then=_ANSWERS)
    def release_what_is_said(self, says: str, then: str) -> None:
        """Release what may be good enough, and what is not."""
        self._do(Step(RELEASE, says=says, then=then))

    @rule(then=_ANSWERS, thing=st.sampled_from(_ACTIONS), whole=st.booleans())
    def interrupt(self, then: str, thing: str, whole: bool) -> None:
        """Stop an execution when an action begins."""
        self._do(Step(INTERRUPT, then=then, thing=thing, whole=whole))

    @rule(then=_YES, whole=st.booleans(), fault=st.one_of(st.just(""), _FAULTS))
    def go_on(self, then: str, whole: bool, fault: str) -> None:
        """Answer the approval that waits, or retry the stage that failed; one thing may go wrong."""
        self._do(Step(DECIDE if self._run.waiting() else RETRY, then=then, whole=whole, fault=fault))

    @rule(number=_NUMBERS, whole=st.booleans())
    def stop(self, number: int, whole: bool) -> None:
        """Stop an execution that waits."""
        self._do(Step(STOP, number=number, whole=whole))

    @rule(number=_NUMBERS, then=_ANSWERS, fault=st.one_of(st.just(""), _FAULTS))
    def roll_back(self, number: int, then: str, fault: str) -> None:
        """Deploy an earlier release again; one thing may go wrong."""
        self._do(Step(ROLLBACK, number=number, then=then, fault=fault))

    @rule(number=st.integers(min_value=0, max_value=150), then=_YES)
    def deliver_again(self, number: int, then: str) -> None:
        """Let an event come once more."""
        self._do(Step(AGAIN, number=number, then=then))

    @rule(thing=st.sampled_from(sorted(HANDS)))
    def change_by_hand(self, thing: str) -> None:
        """Change something by hand."""
        self._do(Step(HAND, thing=thing))

    def teardown(self) -> None:
        """Come to a good end."""
        if not self._failed:
            self._guarded(self._run.end)
        self._run.close()

    def _do(self, step: Step) -> None:
        self._taken.append(step)
        self.result.steps += 1
        self._guarded(lambda: self._run.do(step))

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:
            self._failed = True
            self.result.add(told(error, self._run, self._taken), len(self._taken))
            self._run.reset()
            raise


def told(error: Exception, run: Run, steps: Sequence[Step]) -> str:
    """Return what a run has found, with what repeats it."""
    what = f"{type(error).__name__}: {error}{place(error)}"
    return f"{what}\n" + "\n".join(run.told) + f"\nto repeat it: {list(steps)!r}\n"


def play(site: Site, steps: Sequence[Step]) -> str:
    """Do one run of these steps; return what it has found, empty when it has found nothing."""
    run = Run(site, Counter())
    try:
        run.play(steps)
    except Exception as error:
        found = told(error, run, steps)
        run.reset()
        return found
    return ""


def search(
    site: Site, result: Result, *, seed_of_runs: int, runs: int, steps: int = STEPS, fewest: bool = True
) -> None:
    """Make runs until one fails; then look for the fewest steps, if wanted. What was found is in the result."""
    machine = type("Machine", (Machine,), {"site": site, "result": result})
    chosen = settings(
        max_examples=runs,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if fewest else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(seed(seed_of_runs)(machine), settings=chosen)
    except Exception as error:
        if not result.failure:
            result.failure = f"{type(error).__name__}: {error}{place(error)}"
