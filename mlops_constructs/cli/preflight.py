"""``mlops preflight``: check whether the account is ready for the stack, before the first deployment."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..deployed.clients import explained
from ..errors import MlopsError
from ..local_aws.scratch import scratch_folder
from ._findings import show
from ._stack_arguments import add_stack_arguments
from .synth import synthesize

if TYPE_CHECKING:
    import argparse

    from ..preflight.live import Answer

# Exit code for wrong arguments, as in argparse.
_USAGE = 2


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "preflight",
        help="check whether an AWS account is ready for the stack, and say what to do if it is not",
        description="Synthesize the stack and compare it with the account of your AWS configuration:"
        " credentials, permissions, names, CodeCommit or connection, quotas, prices. Nothing is created or changed."
        " Exit code 1: a deployment would fail.",
    )
    add_stack_arguments(parser)
    parser.add_argument(
        "--live",
        action="store_true",
        help="find out what only AWS itself can answer, by creating small resources and deleting them",
    )
    parser.add_argument("--yes", action="store_true", help="with --live: create them without asking")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON on standard output")
    parser.set_defaults(
        run=run, when_interrupted="the resources created so far are being deleted; nothing else was changed"
    )


def run(options: argparse.Namespace) -> int:
    """Print the findings; return 1 when a deployment would fail."""
    with explained("the account could not be checked"):
        if options.live:
            return _live(options)
        return _examine(options)


def _examine(options: argparse.Namespace) -> int:
    from ..preflight import SynthesizedStack, TerraformState, examine

    with scratch_folder("mlops-synth-") as output:
        folder = synthesize(options.app, output, options.stack)
        stack = SynthesizedStack(folder, options.pipeline)
        state = TerraformState(stack, options.state)
        findings = show(examine(_session(options), stack, state, options.region), as_json=options.json)
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def _live(options: argparse.Namespace) -> int:
    from ..preflight.live import QUESTIONS, ask

    if not options.yes:
        print(
            "mlops preflight --live creates small resources in your account and deletes them again; it takes about ten"
            f" minutes and costs almost nothing. It has {len(QUESTIONS)} questions to AWS; docs/live_check.md says"
            " what it creates for each. To run it, add --yes.",
            file=sys.stderr,
        )
        return _USAGE
    answers: list[Answer] = []
    for answer in ask(_session(options), options.region):
        answers.append(answer)
        if not options.json:
            print(answer, flush=True)
    if options.json:
        print(json.dumps([asdict(answer) for answer in answers], indent=2))
    return 1 if any(answer.left for answer in answers) else 0


def _session(options: argparse.Namespace) -> Any:
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        return boto3.session.Session(region_name=options.region)
    except ProfileNotFound as error:
        raise MlopsError(f"{error}; see `aws configure list-profiles`, or set AWS_PROFILE") from None
