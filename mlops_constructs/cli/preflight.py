"""``mlops preflight``: is this account ready for the stack, before the first deployment."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..deployed.clients import explained
from ..errors import MlopsError
from ._findings import show
from .synth import synthesize

if TYPE_CHECKING:
    import argparse

    from ..preflight.live import Answer

# A command line that cannot be carried out, as argparse says it.
_USAGE = 2


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "preflight",
        help="see whether an AWS account is ready for the stack, and what to do where it is not",
        description="Synthesize the stack and compare it with the account that the AWS configuration leads to:"
        " credentials, permissions, names, CodeCommit or connection, quotas, prices. Nothing is made or changed."
        " Exit code 1: a deployment would fail.",
    )
    parser.add_argument("--app", metavar="COMMAND", help="synthesizes the stack; that of cdktf.json unless given")
    parser.add_argument("--stack", metavar="NAME", help="needed only when the app has several")
    parser.add_argument("--pipeline", metavar="NAME", help="look at this pipeline only; a prefix will do")
    parser.add_argument("--region", help="AWS region; that of the stack's provider unless given")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="what `terraform state pull` prints; that of a local backend unless given",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="instead: settle what only AWS itself can answer, by making small things and removing them",
    )
    parser.add_argument("--yes", action="store_true", help="with --live: make them, without asking")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON on standard output")
    parser.set_defaults(run=run, when_interrupted="what was being made is being removed; nothing else was changed")


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 when a deployment would fail."""
    with explained("the account could not be examined"):
        if options.live:
            return _live(options)
        return _examine(options)


def _examine(options: argparse.Namespace) -> int:
    from ..preflight import SynthesizedStack, TerraformState, examine

    with tempfile.TemporaryDirectory(prefix="mlops-synth-") as output:
        folder = synthesize(options.app, Path(output), options.stack)
        stack = SynthesizedStack(folder, options.pipeline)
        state = TerraformState(stack, options.state)
        findings = show(examine(_session(options), stack, state, options.region), as_json=options.json)
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def _live(options: argparse.Namespace) -> int:
    from ..preflight.live import QUESTIONS, ask

    if not options.yes:
        print(
            "mlops preflight --live makes small things in your account, asks AWS, and removes them again; about ten"
            f" minutes, near zero cost. It asks {len(QUESTIONS)} questions; docs/live_check.md says what each makes."
            " Give --yes as well.",
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
