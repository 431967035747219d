"""``mlops upload``: upload a data set, its manifest last, which starts a deployed pipeline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..deployed.data_files import DATA_HELP, find_data
from ..deployed.data_plan import OBJECTS_FOLDER, check_upload, plan_set
from ..deployed.datasets import upload_file, upload_objects
from ..errors import MlopsError
from ._arguments import add_arguments, command, read_pipeline
from ._progress import progress
from .start import report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..deployed import DeployedPipeline
    from ..deployed.data_files import DataFiles
    from ..deployed.data_plan import DatasetObject
    from ..deployed.datasets import UploadedDataset


_USUAL_SECONDS = 60.0
# Longer than S3 needs, so that what is told in this time was not lost.
_WAIT_SECONDS = 360.0
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
_LATE_EVENTS = (
    "S3 tells EventBridge of uploads only about five minutes after the first deployment; what was uploaded before may"
    " start nothing."
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "upload",
        help="upload a data set, which starts a deployed pipeline",
        description="Upload one file as a data set; or files and folders as channels, the manifest that names them"
        " last. `mlops data check` tells before what the pipeline would say. Where uploads start no execution"
        " (`Dataset(start_on_upload=False)`), it starts one only with --start.",
    )
    add_arguments(parser)
    parser.add_argument("data", nargs="+", metavar="PATH", help=DATA_HELP)
    parser.add_argument("--name", help="name of the data set in the bucket (default: from the first path)")
    parser.add_argument(
        "--golden", type=Path, metavar="FILE", help="golden records for the smoke tests of the endpoints"
    )
    parser.add_argument("--contract", type=Path, metavar="FILE", help="data contract of this data set, as JSON")
    parser.add_argument(
        "--objects-prefix",
        default=OBJECTS_FOLDER,
        metavar="FOLDER",
        help=f"folder for the files that the manifest names (default: {OBJECTS_FOLDER})",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=_WAIT_SECONDS,
        metavar="SECONDS",
        help=f"for the execution to start; {_WAIT_SECONDS:g} unless given",
    )
    parser.add_argument(
        "--start", action="store_true", help="start the execution where the upload has started none in that time"
    )
    parser.set_defaults(run=run, when_interrupted="the data set is incomplete, so nothing has started")


def run(options: argparse.Namespace) -> int:
    """Upload; raise MlopsError with the reason when it fails or starts nothing."""
    _check(options)
    data = find_data(options.data, golden=options.golden, contract=options.contract)
    name = options.name if options.name is not None else data.name
    objects = _plan(options, data, name)
    pipeline = read_pipeline(options)
    known = pipeline.executions.ids()
    dataset = _upload(options, pipeline, data, name, objects)
    if not pipeline.starts_on_upload:
        execution = pipeline.start(dataset.key, dataset.version_id) if options.start else None
        report(pipeline, dataset, execution, as_json=options.json)
        return 0
    options.when_interrupted = f"s3://{dataset.bucket}/{dataset.key} is uploaded and will start {pipeline.name}"
    execution = _wait_for_start(pipeline, known, dataset, options.wait)
    if execution is None and options.start:
        execution = pipeline.start(dataset.key, dataset.version_id)
    if execution is None:
        waiting = pipeline.executions.waiting()
        if waiting is not None:
            raise MlopsError(
                f"the upload has not started {pipeline.name} within {options.wait:g} s: before it in the queue,"
                f" execution {waiting.execution_id} waits for approval. To decide: {command(options, 'approve')}, or"
                f" {command(options, 'reject')}"
            )
        start = command(options, "start", "--key", dataset.key, "--version-id", dataset.version_id)
        raise MlopsError(
            f"the upload has not started {pipeline.name} within {options.wait:g} s. {_LATE_EVENTS} Or other executions"
            " are before it in the queue; or its key does not have the suffix that the pipeline requires; or the bucket"
            f" does not send its events to EventBridge. To start it: {start}"
        )
    report(pipeline, dataset, execution, as_json=options.json)
    return 0


def _wait_for_start(
    pipeline: DeployedPipeline, known: set[str], dataset: UploadedDataset, seconds: float
) -> str | None:
    """Wait for the execution that the upload starts; say why when it takes longer than usual."""
    usual = min(seconds, _USUAL_SECONDS)
    execution = pipeline.executions.wait_for_start(known, usual, version_id=dataset.version_id)
    if execution is not None or seconds <= usual:
        return execution
    waits = f"No execution yet after {usual:g} s, waiting up to {seconds:g} s."
    print(f"{waits} {_LATE_EVENTS}", file=sys.stderr, flush=True)
    return pipeline.executions.wait_for_start(known, seconds - usual, version_id=dataset.version_id)


def _check(options: argparse.Namespace) -> None:
    if not options.objects_prefix.endswith("/"):
        raise MlopsError(f"--objects-prefix must end with '/', got {options.objects_prefix}")
    if options.name is not None and (not options.name or "/" in options.name):
        raise MlopsError(f"--name must be a name without '/', got {options.name!r}")
    if not options.wait >= 0:
        raise MlopsError(f"--wait must be 0 or more seconds, got {options.wait:g}")


def _plan(options: argparse.Namespace, data: DataFiles, name: str) -> list[DatasetObject]:
    """The key of each file of a data set, or nothing where one file is the whole data set."""
    if data.alone is not None:
        if options.name is not None:
            raise MlopsError(f"--name is for a data set of channels: the key of {data.alone.name} has the file's name")
        check_upload(data.alone)
        return []
    return plan_set(name, data.channels, golden=data.golden, contract=data.contract, folder=options.objects_prefix)


def _upload(
    options: argparse.Namespace,
    pipeline: DeployedPipeline,
    data: DataFiles,
    name: str,
    objects: Sequence[DatasetObject],
) -> UploadedDataset:
    files = [data.alone] if data.alone is not None else [one.content for one in objects]
    sizes = [one.stat().st_size for one in files if isinstance(one, Path)]

    def before_manifest() -> None:
        told = f"{command(options, 'status')} says whether its manifest has started {pipeline.name}"
        options.when_interrupted = f"all objects of the data set are uploaded; {told}"

    with progress(len(sizes), sum(sizes), quiet=options.json) as advance:
        if data.alone is not None:
            return upload_file(pipeline, data.alone, advance=advance)
        manifest, s3 = f"{pipeline.prefix}{name}.json", pipeline.client("s3")
        return upload_objects(
            s3, pipeline.data_bucket, manifest, objects, advance=advance, before_manifest=before_manifest
        )
