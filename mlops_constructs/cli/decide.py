"""``mlops approve`` and ``mlops reject``: decide on the release that waits for approval."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from ..errors import MlopsError
from ._arguments import add_arguments, command, read_pipeline

if TYPE_CHECKING:
    import argparse

    from ..deployed import ActionExecution, DeployedPipeline

# CodePipeline has the token a moment after the approval begins to wait.
_TOKEN_SECONDS = 15.0
_POLL_SECONDS = 0.5


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe both commands."""
    for name, effect in (("approve", "deploy it to production"), ("reject", "end its execution")):
        parser = commands.add_parser(
            name,
            help=f"{name} the release that waits: {effect}",
            description=f"{name.capitalize()} the release that waits for approval: {effect}. `mlops status` shows what"
            " the approver should read before.",
        )
        add_arguments(parser)
        parser.add_argument("--execution", metavar="ID", help="only if this execution waits (default: whichever waits)")
        parser.add_argument("--reason", metavar="TEXT", help="why; CodePipeline and the release's record keep it")
        parser.set_defaults(run=run, approved=name == "approve", when_interrupted="the approval may still wait")


def run(options: argparse.Namespace) -> int:
    """Approve or reject; raise MlopsError when nothing waits, or something else does."""
    pipeline = read_pipeline(options)
    executions = pipeline.executions
    approval = executions.waiting()
    if approval is None:
        raise MlopsError(f"nothing waits for approval in {pipeline.name}; see `{command(options, 'status')}`")
    if options.execution not in (None, approval.execution_id):
        raise MlopsError(f"execution {approval.execution_id} waits for approval, not {options.execution}")
    if options.approved and not options.reason:
        _check_reason(pipeline, approval)
    verb = "approved" if options.approved else "rejected"
    reason = options.reason or f"{verb} with mlops {options.command}"
    executions.answer(approval, _token(pipeline, approval), approved=options.approved, summary=reason)
    if options.json:
        facts = {"pipeline": pipeline.name, "execution_id": approval.execution_id, "status": verb.capitalize()}
        print(json.dumps({**facts, "reason": reason}, indent=2))
        return 0
    what = "it is deployed to production now" if options.approved else "its model package is marked Rejected"
    print(f"{verb.capitalize()} execution {approval.execution_id} of {pipeline.name}: {what}.")
    return 0


def _check_reason(pipeline: DeployedPipeline, approval: ActionExecution) -> None:
    """Refuse what RecordApproval would refuse: a release whose evidence asks for a reason, without one."""
    why = pipeline.executions.execution(approval.execution_id).variable("Evidence", "ReasonFor")
    if why not in ("", "none"):
        raise MlopsError(f"the release needs a reason ({why}): say why it is approved with --reason TEXT")


def _token(pipeline: DeployedPipeline, approval: ActionExecution) -> str:
    deadline = time.monotonic() + _TOKEN_SECONDS
    while True:
        token = pipeline.executions.approval_token(approval)
        if token is not None:
            return token
        if time.monotonic() > deadline:
            raise MlopsError(f"execution {approval.execution_id} no longer waits for approval; somebody decided before")
        time.sleep(_POLL_SECONDS)
