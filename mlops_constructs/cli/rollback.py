"""``mlops rollback``: run an earlier release through the whole pipeline again, without training."""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING

from ..deployed import Releases
from ._arguments import add_arguments, command, read_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..deployed import DeployedPipeline


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "rollback",
        help="deploy an earlier release again, with smoke tests and approval",
        description="Start the pipeline on an earlier release: without training, but with the gate's thresholds, the"
        " DEV endpoint, the smoke tests, the approval and the change set of every release.",
    )
    add_arguments(parser)
    parser.add_argument("release", type=_number, help="number of the release, as `mlops releases` shows it")
    parser.set_defaults(run=run, when_interrupted="an execution that has started continues")


def run(options: argparse.Namespace) -> int:
    """Start the execution; raise MlopsError with all reasons why it cannot be started."""
    pipeline = read_pipeline(options)
    record, execution_id = Releases(pipeline).deploy_again(options.release)
    link = _link(record, pipeline, execution_id)
    if options.json:
        result = {"pipeline": pipeline.name, "release": options.release, "execution_id": execution_id, "link": link}
        print(json.dumps(result, indent=2))
    else:
        print(
            f"Release {options.release} goes through {pipeline.name} again, as execution {execution_id}.\n"
            f"It waits for approval once the DEV endpoint has passed its smoke test: {command(options, 'approve')}"
            + (f"\n  {link}" if link else "")
        )
    return 0


def _link(record: Mapping[str, object], pipeline: DeployedPipeline, execution_id: str) -> str | None:
    """The execution's page in the console; None for a local AWS, which has no console."""
    if not pipeline.is_in_aws:
        return None
    _, partition, _, region, *_ = str(record["model_package_arn"]).split(":", 5)
    host = "console.amazonaws-us-gov.com" if partition == "aws-us-gov" else "console.aws.amazon.com"
    page = f"{pipeline.name}/executions/{execution_id}/timeline?region={region}"
    return f"https://{host}/codesuite/codepipeline/pipelines/{page}"


def _number(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"must be the number of a release, got {text!r}")
    return int(text)
