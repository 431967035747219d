"""``mlops start``: start a deployed pipeline on a data set that is in its bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..deployed.datasets import find_dataset
from ..errors import MlopsError
from ._arguments import add_arguments, read_pipeline

if TYPE_CHECKING:
    import argparse

    from ..deployed import DeployedPipeline, UploadedDataset


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "start",
        help="start a deployed pipeline on a chosen version of a data set",
        description="Start a deployed pipeline on a data set in its bucket, on exactly one version of it.",
    )
    add_arguments(parser)
    parser.add_argument("--key", required=True, help="key of the data set, its manifest or its trainingjob.zip")
    parser.add_argument("--version-id", metavar="ID", help="its S3 version (default: the newest)")
    parser.set_defaults(run=run, when_interrupted="an execution that has started continues")


def run(options: argparse.Namespace) -> int:
    """Start the pipeline; raise MlopsError with the reason when it cannot be started."""
    pipeline = read_pipeline(options)
    if not options.key.startswith(pipeline.prefix):
        raise MlopsError(
            f"--key {options.key} does not begin with {pipeline.prefix}, the folder that {pipeline.name} reads"
        )
    dataset = find_dataset(pipeline, options.key, options.version_id)
    execution = pipeline.start(dataset.key, dataset.version_id)
    report(pipeline, dataset, execution, as_json=options.json)
    return 0


def report(pipeline: DeployedPipeline, dataset: UploadedDataset, execution_id: str | None, *, as_json: bool) -> None:
    """Print what was started; with None nothing was, as uploads start nothing."""
    if as_json:
        facts = {
            "pipeline": pipeline.name,
            "execution_id": execution_id,
            "bucket": dataset.bucket,
            "key": dataset.key,
            "version_id": dataset.version_id,
        }
        print(json.dumps(facts, indent=2))
        return
    print(f"s3://{dataset.bucket}/{dataset.key}, version {dataset.version_id}")
    if execution_id is None:
        print(f"uploads start no execution of {pipeline.name}; --start does, and so does `mlops start`")
    else:
        print(f"started execution {execution_id} of {pipeline.name}")
