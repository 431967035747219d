"""Data sets in the bucket of a deployed pipeline: uploaded, with the manifest last, and found by version."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .pipeline import DeployedPipeline

# CheckDataset copies each object with one CopyObject call, which is limited to 5 GiB.
_LARGEST = 5 * 1024**3
# Keys with these endings are read as a description of a data set.
_WHOLE = (".json", ".zip")
OBJECTS_FOLDER = "data/"
# CodePipeline inserts a key into JSON text, which these characters would break.
_UNCARRIED = re.compile(r'["\\\x00-\x1f\x7f]')
# Called with the name of a file, the number of bytes sent since the last call, and its size.
Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class UploadedDataset:
    """The data set of an execution.

    Attributes:
        bucket: The data bucket.
        key: Key of the one object, or of the manifest.
        version_id: Its S3 version.
    """

    bucket: str
    key: str
    version_id: str


@dataclass(frozen=True, slots=True)
class DatasetObject:
    """An object that a manifest names.

    Attributes:
        content: A file, or the bytes themselves.
        key: Key in the data bucket.
        channel: Channel that it belongs to, or None for ``golden`` and ``contract``.
        field: ``golden`` or ``contract``, or None for the object of a channel.
    """

    content: Path | bytes
    key: str
    channel: str | None = None
    field: str | None = None


def check_files(paths: Sequence[Path]) -> None:
    """Refuse files that cannot be uploaded. Raises MlopsError, naming the first that is missing, empty or too large."""
    for path in paths:
        if not path.is_file():
            raise MlopsError(f"the file {path} does not exist")
        if _UNCARRIED.search(path.name):
            raise MlopsError(
                f"{path.name!r} contains a quote, a backslash or a control character, which CodePipeline cannot pass"
                " on: rename the file"
            )
        size = path.stat().st_size
        if size == 0:
            raise MlopsError(f"{path} is empty, and an empty object starts nothing")
        if size > _LARGEST:
            raise MlopsError(f"{path} has {size} bytes; an object may have {_LARGEST}: split it into several files")


def plan_set(
    name: str,
    channels: Mapping[str, Sequence[Path]],
    *,
    golden: Path | None = None,
    contract: Path | None = None,
    folder: str = OBJECTS_FOLDER,
) -> list[DatasetObject]:
    """Assign a key to each file of a data set; arguments as in ``upload_set``.

    Raises:
        MlopsError: when the files are not a data set.
    """
    extras = {field: path for field, path in (("golden", golden), ("contract", contract)) if path is not None}
    files = [path for paths in channels.values() for path in paths]
    check_files([*files, *extras.values()])
    if whole := [path for path in files if path.suffix.lower() in _WHOLE]:
        raise MlopsError(f"{whole[0]} is a manifest or a trainingjob.zip by its name: upload it alone")
    if "train" not in channels:
        raise MlopsError(f"there is no channel train, only {', '.join(channels)}; name one with train=FILE")
    place = f"{folder}{name}/"
    objects = [
        DatasetObject(path, f"{place}{channel}/{path.name}", channel)
        for channel, paths in channels.items()
        for path in paths
    ]
    if len({one.key for one in objects}) < len(objects):
        raise MlopsError("two files of a channel have the same name; rename one")
    return objects + [
        DatasetObject(path, f"{place}{field}{path.suffix}", field=field) for field, path in extras.items()
    ]


def upload_file(pipeline: DeployedPipeline, path: Path, *, advance: Advance | None = None) -> UploadedDataset:
    """Upload one file as a data set, which starts the pipeline.

    Args:
        pipeline: The deployed pipeline.
        path: The file: records, a manifest, or a ``trainingjob.zip``.
        advance: Called with the progress.

    Raises:
        MlopsError: when the file is not a data set, or AWS refuses.
    """
    check_files([path])
    bucket, key = pipeline.data_bucket, f"{pipeline.prefix}{path.name}"
    return UploadedDataset(bucket, key, _put(pipeline.client("s3"), bucket, key, path, advance))


def upload_set(
    pipeline: DeployedPipeline,
    name: str,
    channels: Mapping[str, Sequence[Path]],
    *,
    golden: Path | None = None,
    contract: Path | None = None,
    folder: str = OBJECTS_FOLDER,
    advance: Advance | None = None,
) -> UploadedDataset:
    """Upload the files of a data set, then the manifest that names exactly their versions, which starts the pipeline.

    Args:
        pipeline: The deployed pipeline.
        name: Name of the data set in the bucket.
        channels: Channel to its files; one is ``train``.
        golden: Golden records for the smoke tests of the endpoints.
        contract: Data contract of this data set, as JSON.
        folder: Folder of the objects that manifests name, with a slash at its end.
        advance: Called with the progress.

    Raises:
        MlopsError: when the files are not a data set, or AWS refuses.
    """
    objects = plan_set(name, channels, golden=golden, contract=contract, folder=folder)
    manifest = f"{pipeline.prefix}{name}.json"
    return upload_objects(pipeline.client("s3"), pipeline.data_bucket, manifest, objects, advance=advance)


def upload_objects(
    s3: Any, bucket: str, manifest_key: str, objects: Sequence[DatasetObject], *, advance: Advance | None = None
) -> UploadedDataset:
    """Upload objects, then the manifest that names exactly their versions."""
    manifest: dict[str, Any] = {"channels": {}}
    for one in objects:
        entry = {"key": one.key, "version_id": _put(s3, bucket, one.key, one.content, advance)}
        if one.field is not None:
            manifest[one.field] = entry
        else:
            manifest["channels"].setdefault(one.channel, []).append(entry)
    body = json.dumps(manifest, indent=2).encode()
    return UploadedDataset(bucket, manifest_key, put_object(s3, bucket, manifest_key, body, "application/json"))


def put_object(s3: Any, bucket: str, key: str, body: bytes, content_type: str) -> str:
    """Put bytes into a bucket; return the version."""
    with explained(f"s3://{bucket}/{key} could not be uploaded"):
        answer = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    return _version(answer, bucket)


def find_dataset(pipeline: DeployedPipeline, key: str, version_id: str | None) -> UploadedDataset:
    """Find an object in the data bucket, unless given in its newest version.

    Raises:
        MlopsError: when there is no such object or version, it is empty, or the bucket has no versions.
    """
    from botocore.exceptions import ClientError

    bucket = pipeline.data_bucket
    place = f"s3://{bucket}/{key}" + (f", version {version_id}" if version_id else "")
    wanted = {} if version_id is None else {"VersionId": version_id}
    with explained(f"{place} could not be looked up"):
        try:
            head = pipeline.client("s3").head_object(Bucket=bucket, Key=key, **wanted)
        except ClientError as error:
            if code_of(error) in ("404", "405", "NoSuchKey", "NoSuchVersion", "400"):
                raise MlopsError(f"the object {place} does not exist") from None
            raise
    if head["ContentLength"] == 0:
        raise MlopsError(f"{place} is empty (0 bytes)")
    return UploadedDataset(bucket, key, _version(head, bucket))


def _put(s3: Any, bucket: str, key: str, content: Path | bytes, advance: Advance | None) -> str:
    """Upload bytes, or a file, in parts if it is large; return exactly the version that this upload created."""
    if isinstance(content, bytes):
        return put_object(s3, bucket, key, content, "text/csv")
    size, made = content.stat().st_size, dict[str, Any]()
    calls = ("after-call.s3.PutObject", "after-call.s3.CompleteMultipartUpload")

    def remember(parsed: dict[str, Any], **_: object) -> None:
        made.update(parsed)

    def tell(count: int) -> None:
        if advance is not None:
            advance(content.name, count, size)

    for call in calls:
        s3.meta.events.register(call, remember)
    try:
        with explained(f"{content} could not be uploaded to s3://{bucket}/{key}"):
            s3.upload_file(str(content), bucket, key, Callback=tell)
    finally:
        for call in calls:
            s3.meta.events.unregister(call, remember)
    return _version(made, bucket)


def _version(answer: Mapping[str, Any], bucket: str) -> str:
    if "VersionId" not in answer:
        raise MlopsError(f"the bucket {bucket} has no versioning, which CodePipeline requires; enable it")
    return str(answer["VersionId"])
