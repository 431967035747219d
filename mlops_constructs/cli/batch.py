"""``mlops batch``: score files with the model in production, and list what was scored."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from ._arguments import add_arguments, command, read_pipeline
from ._progress import progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from ..deployed.batch import Batches

_WAIT_SECONDS = 3600.0
_SHOWN = 20
_HEADINGS = ("started", "status", "release", "records", "input", "job")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "batch",
        help="score files with the model in production",
        description="Upload files to score, wait for their transform jobs, and download the predictions. Without files,"
        " list the last batches.",
    )
    add_arguments(parser)
    parser.add_argument("files", nargs="*", type=Path, default=[], metavar="FILE", help="file to score")
    parser.add_argument("--job", metavar="NAME", help="show the record of one job, and why it failed")
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="FOLDER", help="for the predictions (default: this folder)"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=_WAIT_SECONDS,
        metavar="SECONDS",
        help=f"for the predictions; {_WAIT_SECONDS:g} unless given, 0 uploads only",
    )
    parser.set_defaults(run=run, when_interrupted="nothing was uploaded")


def run(options: argparse.Namespace) -> int:
    """Score, or list; raise MlopsError with the reason when a file has no predictions."""
    from ..deployed.batch import Batches

    if not options.wait >= 0:
        raise MlopsError(f"--wait must be 0 or more seconds, got {options.wait:g}")
    if options.job is not None and options.files:
        raise MlopsError("give files to score or --job, not both")
    batches = Batches(read_pipeline(options))
    if options.job is not None:
        _show_one(options, batches)
    elif options.files:
        _score(options, batches)
    else:
        _show_all(options, batches)
    return 0


def _score(options: argparse.Namespace, batches: Batches) -> None:
    batches.check(options.files)
    sizes = [path.stat().st_size for path in options.files if path.is_file()]
    jobs = {}
    with progress(len(options.files), sum(sizes), quiet=options.json) as advance:
        for path in options.files:
            jobs[batches.upload(path, advance=advance)] = path
            later = command(options, "batch", "--job", next(reversed(jobs)))
            options.when_interrupted = f"what is uploaded is scored all the same: {later} shows the last one"
    if options.wait == 0:
        _print_started(options, jobs)
        return
    results, failures = [], []
    for job, path in jobs.items():
        record = batches.follow(job, options.wait, lambda status, name=path.name: _tell(options, name, status))  # type: ignore[misc]
        problem = _problem(options, job, path, record)
        if problem is not None or record is None:
            failures.append(problem)
            continue
        files = batches.download(record, options.output)
        results.append({**record, "files": [str(file) for file in files]})
    _print_results(options, results)
    if failures:
        raise MlopsError("; ".join(filter(None, failures)))


def _tell(options: argparse.Namespace, name: str, status: str) -> None:
    if not options.json and sys.stderr.isatty():
        print(f"{name}: {status}", file=sys.stderr, flush=True)


def _problem(options: argparse.Namespace, job: str, path: Path, record: Mapping[str, Any] | None) -> str | None:
    """Why a file has no predictions now; None when it has."""
    if record is None:
        return (
            f"no job has started for {path} within {options.wait:g} s: the pipeline may score on a schedule, or S3's"
            f" events may be late, as after the first deployment. {command(options, 'batch', '--job', job)} shows it"
        )
    if record["status"] == "Completed":
        return None
    reason = record.get("reason") or f"it has not ended within {options.wait:g} s"
    return f"{path} was not scored, job {job} is {record['status']}: {reason}"


def _print_started(options: argparse.Namespace, jobs: Mapping[str, Path]) -> None:
    if options.json:
        print(json.dumps([{"job": job, "file": str(path)} for job, path in jobs.items()], indent=2))
        return
    for job, path in jobs.items():
        print(f"{path} is uploaded; {command(options, 'batch', '--job', job)} shows its job.")


def _print_results(options: argparse.Namespace, results: list[dict[str, Any]]) -> None:
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for one in results:
        count = one["output"]["records"]
        what = "its predictions are" if count is None else f"{count:,} prediction{' is' if count == 1 else 's are'}"
        print(f"{one['input']['key']}: {what} in {', '.join(one['files'])}, by release {one['release']}.")
        if one.get("reason"):
            print(f"  {one['reason']}")


def _show_one(options: argparse.Namespace, batches: Batches) -> None:
    record = batches.record(options.job)
    if record is None:
        raise MlopsError(f"{options.pipeline} has no record of a job {options.job}; list them: {_listing(options)}")
    print(json.dumps(record, indent=2))


def _show_all(options: argparse.Namespace, batches: Batches) -> None:
    records = batches.newest(_SHOWN)
    if options.json:
        print(json.dumps(records, indent=2))
    elif not records:
        print(f"{options.pipeline} has scored nothing yet.")
    else:
        rows = [_HEADINGS, *map(_row, records)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(record: Mapping[str, Any]) -> tuple[str, ...]:
    count = (record.get("output") or {}).get("records")
    release = record.get("release")
    return (
        str(record["started_at"])[:19],
        str(record["status"]),
        "" if release is None else str(release),
        "" if count is None else str(count),
        str(record["input"]["key"]),
        str(record["job"]),
    )


def _listing(options: argparse.Namespace) -> str:
    return command(options, "batch")
