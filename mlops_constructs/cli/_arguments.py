"""The arguments that all commands for a deployed pipeline share."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..deployed import DeployedPipeline, connect
from ..errors import MlopsError

if TYPE_CHECKING:
    import argparse

    from ..deployed.clients import Clients


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the pipeline's name, its region, and the output format."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="name of the pipeline: the output `pipeline` of the stack")
    parser.add_argument(
        "--local", action="store_true", help="in the local AWS that `mlops rehearse --keep` keeps running"
    )
    parser.add_argument("--region", help="AWS region (default: that of your AWS configuration)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")


def read_pipeline(options: argparse.Namespace) -> DeployedPipeline:
    """Read the pipeline that the arguments name. Raises MlopsError when it does not exist."""
    return DeployedPipeline.read(_clients(options), options.pipeline)


def command(options: argparse.Namespace, name: str, *arguments: str) -> str:
    """Another command for the same pipeline, to copy: with ``--local`` and ``--region`` as they were given."""
    place = [*(["--local"] if options.local else []), *(["--region", options.region] if options.region else [])]
    return shlex.join(["mlops", name, options.pipeline, *place, *arguments])


def _clients(options: argparse.Namespace) -> Clients:
    if not options.local:
        return connect(options.region)
    from ..local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
    from ..local_aws.kept import running

    found = running()
    if len(found) != 1:
        urls = ", ".join(one.url for one in found)
        raise MlopsError(
            f"--local: {len(found)} rehearsals are kept ({urls}); end all but one with Ctrl-C, or leave --local out and"
            " export the variables that the terminal of one of them shows"
            if found
            else "--local: no rehearsal is kept on this machine; run `mlops rehearse --keep` in another terminal"
        )
    (one,) = found
    return connect(options.region or one.region, one.url, (ACCESS_KEY_ID, SECRET_ACCESS_KEY))
