"""``mlops upload``: upload a data set, its manifest last, and so start a deployed pipeline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from . import _data_source as data
from ._progress import progress
from .start import report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

# CheckDataset copies each object at once, which S3 does up to 5 GiB.
_LARGEST = 5 * 1024**3
_WHOLE = (".json", ".zip")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and where it goes.

    Attributes:
        path: The file.
        key: Key in the data bucket.
        field: Field of the manifest that names it: a channel, ``golden`` or ``contract``.
    """

    path: Path
    key: str
    field: str


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "upload",
        help="upload a data set, which starts a deployed pipeline",
        description="Upload one file as a data set; or several as channels, the manifest that names them last.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, or CHANNEL=FILE; the channel is the file's stem unless given"
    )
    parser.add_argument("--pipeline", metavar="NAME", help="needed only when there are several")
    parser.add_argument("--name", help="names the data set in the bucket; made from the first file unless given")
    parser.add_argument("--golden", type=Path, metavar="FILE", help="records that the fresh endpoints must answer")
    parser.add_argument("--contract", type=Path, metavar="FILE", help="data contract of this data set, as JSON")
    parser.add_argument(
        "--objects-prefix", default="data/", metavar="FOLDER", help="for the files of a manifest; data/ unless given"
    )
    parser.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="for the execution to start; 60 unless given"
    )
    parser.add_argument("--region", help="AWS region; that of your AWS configuration unless given")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    parser.set_defaults(run=run, when_interrupted="the data set is not complete, so nothing has started")


def run(options: argparse.Namespace) -> int:
    """Upload; raise MlopsError with the reason when it fails or starts nothing."""
    files = _files(options.files)
    _check(options, [path for _, path in files])
    codepipeline, s3 = data.clients(options.region)
    source = data.find_source(codepipeline, options.pipeline)
    with data.explained(f"the executions of {source.pipeline} could not be looked up"):
        known = {one["pipelineExecutionId"] for one in data.executions(codepipeline, source.pipeline)}
    name = options.name if options.name is not None else files[0][1].resolve().stem
    with progress(quiet=options.json) as advance:
        if len(files) > 1 or options.golden is not None or options.contract is not None:
            key, version = _upload_set(s3, source, _plan(options, files, name), name, advance)
        else:
            key = f"{source.prefix}{files[0][1].name}"
            version = _put(s3, source.bucket, Upload(files[0][1], key, ""), advance)
    options.when_interrupted = f"s3://{source.bucket}/{key} is uploaded, and starts {source.pipeline} by itself"
    execution = data.wait_for_execution(codepipeline, source, known, version, options.wait)
    report(source, key, version, execution, as_json=options.json)
    return 0


def _files(given: Sequence[str]) -> list[tuple[str, Path]]:
    """Channel and path of each argument."""
    pairs = []
    for text in given:
        channel, sign, path = text.partition("=")
        if sign and not Path(text).exists():
            pairs.append((channel, Path(path)))
        else:
            pairs.append((Path(text).stem, Path(text)))
    return pairs


def _check(options: argparse.Namespace, paths: Sequence[Path]) -> None:
    for path in [*paths, *(extra for extra in (options.golden, options.contract) if extra is not None)]:
        if not path.is_file():
            raise MlopsError(f"there is no file {path}")
        size = path.stat().st_size
        if size == 0:
            raise MlopsError(f"{path} is empty, and an empty object starts nothing")
        if size > _LARGEST:
            raise MlopsError(f"{path} has {size} bytes; an object may have {_LARGEST}: split it into several files")
    if not options.objects_prefix.endswith("/"):
        raise MlopsError(f"--objects-prefix must end with '/', got {options.objects_prefix}")
    if options.name is not None and (not options.name or "/" in options.name):
        raise MlopsError(f"--name must be a name without '/', got {options.name!r}")
    if options.wait < 0:
        raise MlopsError(f"--wait must be 0 or more seconds, got {options.wait:g}")
    several = len(paths) > 1 or options.golden is not None or options.contract is not None
    if several and (whole := [path for path in paths if path.suffix.lower() in _WHOLE]):
        raise MlopsError(f"{whole[0]} is a manifest or a description by its name: upload it alone")


def _plan(options: argparse.Namespace, files: Sequence[tuple[str, Path]], name: str) -> list[Upload]:
    """Where each file goes; a lone file is the channel train."""
    if len(files) == 1:
        files = [("train" if "=" not in options.files[0] else files[0][0], files[0][1])]
    if "train" not in (channel for channel, _ in files):
        found = ", ".join(channel for channel, _ in files)
        raise MlopsError(f"there is no channel train, only {found}; name one with train=FILE")
    folder = f"{options.objects_prefix}{name}/"
    uploads = [Upload(path, f"{folder}{channel}/{path.name}", channel) for channel, path in files]
    if len({upload.key for upload in uploads}) < len(uploads):
        raise MlopsError("two files of a channel have one name; rename one")
    for field in ("golden", "contract"):
        path = getattr(options, field)
        if path is not None:
            uploads.append(Upload(path, f"{folder}{field}{path.suffix}", f"/{field}"))
    return uploads


def _upload_set(
    s3: Any, source: data.DataSource, uploads: Sequence[Upload], name: str, advance: Callable[[str, int, int], None]
) -> tuple[str, str]:
    """Upload all files, then the manifest that names exactly their versions; give its key and version."""
    manifest: dict[str, Any] = {"channels": {}}
    for upload in uploads:
        entry = {"key": upload.key, "version_id": _put(s3, source.bucket, upload, advance)}
        if upload.field.startswith("/"):
            manifest[upload.field[1:]] = entry
        else:
            manifest["channels"].setdefault(upload.field, []).append(entry)
    key = f"{source.prefix}{name}.json"
    with data.explained(f"s3://{source.bucket}/{key} could not be uploaded"):
        body = json.dumps(manifest, indent=2).encode()
        answer = s3.put_object(Bucket=source.bucket, Key=key, Body=body, ContentType="application/json")
    return key, _version(answer, source.bucket)


def _put(s3: Any, bucket: str, upload: Upload, advance: Callable[[str, int, int], None]) -> str:
    """Upload one file, in parts when it is large; give the version that this made, whoever else uploads meanwhile."""
    size, made = upload.path.stat().st_size, dict[str, Any]()
    calls = ("after-call.s3.PutObject", "after-call.s3.CompleteMultipartUpload")

    def remember(parsed: dict[str, Any], **_: object) -> None:
        made.update(parsed)

    for call in calls:
        s3.meta.events.register(call, remember)
    try:
        with data.explained(f"{upload.path} could not be uploaded to s3://{bucket}/{upload.key}"):
            s3.upload_file(
                str(upload.path), bucket, upload.key, Callback=lambda count: advance(upload.path.name, count, size)
            )
    finally:
        for call in calls:
            s3.meta.events.unregister(call, remember)
    return _version(made, bucket)


def _version(answer: dict[str, Any], bucket: str) -> str:
    if "VersionId" not in answer:
        raise MlopsError(f"the bucket {bucket} has no versions, which CodePipeline needs; switch versioning on")
    return str(answer["VersionId"])
