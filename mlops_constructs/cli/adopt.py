"""``mlops adopt``: let Terraform take over what an interrupted apply has made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..deployed.clients import explained
from ..errors import MlopsError
from ..local_aws.scratch import scratch_folder
from ._stack_arguments import add_stack_arguments
from .synth import synthesize

if TYPE_CHECKING:
    import argparse

    from ..preflight.adoption import Existing


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "adopt",
        help="after an apply that was killed: let Terraform import what it had made",
        description="Find what exists in the account of your AWS configuration with the names of the stack, and is not"
        " in Terraform's state; write Terraform's import blocks for it. Nothing in the account is changed.",
    )
    add_stack_arguments(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write the import blocks, such as cdktf.out/stacks/NAME/adopt.tf.json (default: standard output)",
    )
    parser.set_defaults(run=run, when_interrupted="nothing was changed")


def run(options: argparse.Namespace) -> int:
    """Write the blocks; return 1 when AWS has refused to show something."""
    from ..preflight.adoption import import_document

    if options.output is not None and not options.output.name.endswith(".tf.json"):
        raise MlopsError(f"--output must end in .tf.json, or Terraform does not read it; got {options.output}")
    with explained("the account could not be read"):
        found, problems, source = _find(options)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not found:
        print(f"nothing of the stack exists that is not in {source}", file=sys.stderr)
        return 1 if problems else 0
    what = "1 thing exists that is" if len(found) == 1 else f"{len(found)} things exist that are"
    print(f"{what} not in {source}", file=sys.stderr)
    if options.output is None:
        print(import_document(found), end="")
    else:
        options.output.write_text(import_document(found), encoding="utf-8")
        _say_next(options.output)
    return 1 if problems else 0


def _find(options: argparse.Namespace) -> tuple[list[Existing], list[str], str]:
    from ..preflight import SynthesizedStack, TerraformState
    from ..preflight.adoption import Existing, existing
    from ..preflight.identity import Caller

    with scratch_folder("mlops-synth-") as output:
        stack = SynthesizedStack(synthesize(options.app, output, options.stack), options.pipeline)
        state = TerraformState(stack, options.state)
        if not state.known:
            raise MlopsError(f"the state is in {state.source}: `terraform state pull > FILE`, then give --state FILE")
        session = _session(options.region)
        caller = Caller(session, options.region or stack.region)
        if caller.identity is None:
            broken = [one for one in caller.findings if one.state == "broken"]
            raise MlopsError("\n".join(f"{one.thing}: {one.detail}. {one.remedy}" for one in broken))
        region = caller.identity.region

        def client(service: str) -> Any:
            return session.client(service, region_name=region)

        met = list(existing(client, stack, caller.identity, state))
    found = [one for one in met if isinstance(one, Existing)]
    problems = [f"{one.thing}: {one.detail}. {one.remedy}" for one in met if not isinstance(one, Existing)]
    return found, problems, state.source


def _session(region: str | None) -> Any:
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        return boto3.session.Session(region_name=region)
    except ProfileNotFound as error:
        raise MlopsError(f"{error}; see `aws configure list-profiles`, or set AWS_PROFILE") from None


def _say_next(file: Path) -> None:
    print(
        f"Their import blocks are in {file}. Next:\n"
        f"  terraform -chdir={file.parent} init\n"
        f"  terraform -chdir={file.parent} apply    # its plan must destroy nothing\n"
        f"  rm {file}",
        file=sys.stderr,
    )
