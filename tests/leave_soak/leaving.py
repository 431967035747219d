"""One history and its end: by the command, or by the function that a destroy invokes; and what must hold then."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from ab_soak.calls import KILLED_AFTER, KILLED_BEFORE, LOST, OVERTAKEN, REFUSED, TWICE, Fault, Killed, Process
from ab_soak.pipeline import Outcome
from ab_soak.steps import run_of
from botocore.exceptions import BotoCoreError, ClientError
from guard_destroy.guard import Guard, LeftError
from guard_destroy.settings import Document
from local_aws.tiny_pipeline import wait_for
from soaks import BrokenError

from leave_soak.damage import DAMAGE
from leave_soak.jobs import JOBS
from leave_soak.pauses import Attempt, attempt, attempts, interlude
from leave_soak.site import Site, outcome_of
from mlops_constructs.deployed.made import Patience
from mlops_constructs.deployed.teardown import Teardown
from mlops_constructs.errors import MlopsError
from mlops_constructs.rehearsal.leftovers import leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ab_soak.account import Account
    from ab_soak.steps import Step

# Operations of an end, each with how often it makes such a call.
_OPERATIONS = {
    "DisableStageTransition": 2,
    "ListPipelineExecutions": 4,
    "StopPipelineExecution": 4,
    "StopTrainingJob": 1,
    "StopHyperParameterTuningJob": 1,
    "StopProcessingJob": 1,
    "StopTransformJob": 2,
    "DescribeTransformJob": 2,
    "DescribeStacks": 6,
    "DescribeStackResources": 3,
    "DeleteStack": 2,
    "GetResources": 3,
    "DescribeScalableTargets": 2,
    "DeregisterScalableTarget": 2,
    "DeleteEndpoint": 1,
    "DeleteEndpointConfig": 1,
    "DeleteModel": 2,
    "DescribeAlarms": 2,
    "DeleteAlarms": 2,
    "ListModelPackages": 2,
    "DeleteModelPackage": 2,
}
_MODES = (KILLED_BEFORE, KILLED_AFTER, LOST, REFUSED, TWICE, OVERTAKEN)
_STEPS, _DAMAGES, _INTERRUPTIONS, _MOST_JOBS = 3, 3, 3, 2
COMMAND, FUNCTION = "command", "function"
# An end that was disturbed may be so again; one that was not must succeed.
_SECONDS = 60


@dataclass
class Plan:
    """What happens.

    Attributes:
        steps: The history.
        interludes: Pauses before each step of it; there may be fewer.
        pauses: What is paused and resumed at its end.
        jobs: What then runs, by name.
        damage: What is then in disorder, by name.
        faults: What interrupts one attempt after the other to leave.
        by: What deletes: the command or the function.
        upload: Whether an upload arrives before the destroy.
    """

    steps: Sequence[Step] = ()
    interludes: Sequence[Sequence[Attempt]] = ()
    pauses: Sequence[Attempt] = ()
    jobs: Sequence[str] = ()
    damage: Sequence[str] = ()
    faults: Sequence[Fault] = ()
    by: str = COMMAND
    upload: bool = True
    told: list[str] = field(default_factory=list, compare=False)

    @classmethod
    def of(cls, seed: str) -> Plan:
        """Draw one: that of a seed is always the same."""
        draw = Random(seed)
        operations = draw.choices(list(_OPERATIONS), k=draw.randint(0, _INTERRUPTIONS))
        return cls(
            steps=run_of(seed)[: draw.randint(0, _STEPS)],
            damage=draw.sample(list(DAMAGE), k=draw.randint(0, _DAMAGES)),
            faults=[Fault(draw.choice(_MODES), one, draw.randint(1, _OPERATIONS[one])) for one in operations],
            by=draw.choice((COMMAND, FUNCTION)),
            interludes=[interlude(draw) for _ in range(_STEPS)],
            pauses=attempts(draw),
            jobs=draw.sample(list(JOBS), k=draw.randint(0, _MOST_JOBS)),
        )


def leave(account: Account, name: str, plan: Plan) -> None:
    """Do it. Raises BrokenError when something does not hold."""
    site = Site(account, name)
    _prepare(site, plan)
    end = _by_command(site) if plan.by == COMMAND else _by_function(site, deletes=True)
    for fault in plan.faults:
        outcome = _try(account, end, Process(fault, others=site.start))
        plan.told.append(f"{fault} -> {outcome_of(outcome)}")
        _check(outcome.done or fault.mode not in (TWICE, OVERTAKEN), f"{fault} does not matter, but: {outcome.said}")
        time.sleep(0.1)
    outcome = _try(account, end, Process())
    _check(outcome.done, f"an end that nothing disturbs fails: {outcome.said}")
    running = [one for one in site.deployed().executions.newest() if one["status"] in ("InProgress", "Stopping")]
    _check(not running, f"executions go on: {running}")
    if plan.upload:
        _upload_too_late(site)
    _check_nothing_left(site)


def _prepare(site: Site, plan: Plan) -> None:
    """Let it have its history, and be in the disorder in which it is left."""

    def pause(commands: Sequence[Attempt]) -> None:
        for one in commands:
            plan.told.append(f"{one} -> {outcome_of(attempt(site, one))}")

    site.live(plan.steps, lambda number: pause([one for part in plan.interludes[number : number + 1] for one in part]))
    site.deploy()
    pause(plan.pauses)
    for one in plan.jobs:
        JOBS[one](site)
    for one in plan.damage:
        plan.told.append(one)
        DAMAGE[one](site)


def guarded(account: Account, name: str, plan: Plan) -> str:
    """Return what the function says that a destroy must not go on without; nothing may be changed by it."""
    site = Site(account, name)
    site.live(plan.steps)
    site.deploy()
    before = leftovers(account.client)
    outcome = _try(account, _by_function(site, deletes=False), Process())
    _check(leftovers(account.client) == before, "a refusal has changed something")
    _check(not outcome.done, "a destroy is not refused")
    _check(_try(account, _by_command(site), Process()).done, "the command does not end")
    _check(_try(account, _by_function(site, deletes=False), Process()).done, "a destroy is refused after the command")
    _check_nothing_left(site)
    return outcome.said


def _by_command(site: Site) -> Callable[[], object]:
    def end() -> None:
        Teardown(site.deployed(), data=True, patience=Patience(poll_seconds=0.02, seconds=_SECONDS)).run()

    return end


def _by_function(site: Site, *, deletes: bool) -> Callable[[], object]:
    document = Document(
        pipelines={site.name: "Stage2", f"{site.name}-image": "Stage2"},
        endpoints=[site.production, site.dev],
        job_prefixes=[site.name],
        deletes=deletes,
    )

    def end() -> None:
        deadline = time.monotonic() + _SECONDS
        guard = Guard(site.name, document, site.client, lambda seconds: time.sleep(min(seconds, 0.1)))
        guard.end(lambda: time.monotonic() < deadline)

    return end


def _try(account: Account, end: Callable[[], object], process: Process) -> Outcome:
    """Try to leave once, in a process of its own."""
    try:
        with account.calls.process(process):
            end()
    except Killed:
        return Outcome(done=False, killed=True)
    except (MlopsError, LeftError, ClientError, BotoCoreError) as error:
        return Outcome(done=False, said=str(error))
    return Outcome(done=True)


def _upload_too_late(site: Site) -> None:
    """What an execution would make that starts before the destroy: nothing."""
    execution = site.start()
    actions = site.client("codepipeline").list_action_executions

    def copied() -> bool:
        runs = actions(pipelineName=site.name, filter={"pipelineExecutionId": execution})["actionExecutionDetails"]
        return any(one["status"] == "Succeeded" for one in runs)

    wait_for(copied)
    time.sleep(0.3)


def _check_nothing_left(site: Site) -> None:
    """Destroy what Terraform made, and look for what remains, service by service."""
    client = site.client
    for name in (site.name, f"{site.name}-image"):
        client("codepipeline").delete_pipeline(name=name)
    try:
        client("sagemaker").delete_model_package_group(ModelPackageGroupName=site.name)
    except ClientError as error:
        raise BrokenError(f"the model package group cannot be deleted: {error}") from error
    lost = site.lost_by_others()
    ours = [one for one in leftovers(client) if site.name in one]
    site.run.world.forget()
    _check(not lost, f"others have lost {lost}")
    _check(not ours, f"left: {ours}")


def _check(holds: object, what: str) -> None:
    if not holds:
        raise BrokenError(what)
