"""``mlops start``: start a deployed pipeline on a data set that was uploaded before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import MlopsError
from . import _data_source as data
from ._account import add_arguments

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "start",
        help="start a deployed pipeline on a chosen version of a data set",
        description="Start a deployed pipeline on a data set in its bucket, on exactly one version of it.",
    )
    add_arguments(parser)
    parser.add_argument("--key", required=True, help="key of the data set, its manifest or its trainingjob.zip")
    parser.add_argument("--version-id", metavar="ID", help="S3 version of it; the newest unless given")
    parser.set_defaults(run=run, when_interrupted="an execution that has started goes on")


def run(options: argparse.Namespace) -> int:
    """Start the pipeline; raise MlopsError with the reason when it cannot be."""
    codepipeline, s3 = data.clients(options.region)
    source = data.find_source(codepipeline, options.pipeline)
    if not options.key.startswith(source.prefix):
        raise MlopsError(
            f"--key {options.key} does not begin with {source.prefix}, the folder that {source.pipeline} reads"
        )
    version = data.find_version(s3, source, options.key, options.version_id)
    execution = data.start(codepipeline, source, options.key, version)
    report(source, options.key, version, execution, as_json=options.json)
    return 0


def report(source: data.DataSource, key: str, version_id: str, execution_id: str, *, as_json: bool) -> None:
    """Tell what was started."""
    if as_json:
        facts = {
            "pipeline": source.pipeline,
            "execution_id": execution_id,
            "bucket": source.bucket,
            "key": key,
            "version_id": version_id,
        }
        print(json.dumps(facts, indent=2))
        return
    print(f"s3://{source.bucket}/{key}, version {version_id}")
    print(f"started execution {execution_id} of {source.pipeline}")
