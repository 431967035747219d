"""Data sets in the bucket of a deployed pipeline: uploaded, with the manifest last, and found by version."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .data_plan import OBJECTS_FOLDER, check_upload, manifest_of, plan_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .data_files import DataFile
    from .data_plan import DatasetObject
    from .pipeline import DeployedPipeline

# A larger file is uploaded in parts, which are sent at the same time.
_PART_BYTES = 8 * 1024**2
# Fewer than the 10 connections that a boto3 client keeps.
_AT_ONCE = 8
_READABLE_OBJECTS = 100
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


def upload_file(pipeline: DeployedPipeline, path: Path, *, advance: Advance | None = None) -> UploadedDataset:
    """Upload one file as a data set, which starts the pipeline.

    Args:
        pipeline: The deployed pipeline.
        path: The file: records, a manifest, or a ``trainingjob.zip``.
        advance: Called with the progress.

    Raises:
        MlopsError: when the file is not a data set, or AWS refuses.
    """
    check_upload(path)
    bucket, key = pipeline.data_bucket, f"{pipeline.prefix}{path.name}"
    return UploadedDataset(bucket, key, put_file(pipeline.client("s3"), bucket, key, path, advance))


def upload_set(
    pipeline: DeployedPipeline,
    name: str,
    channels: Mapping[str, Sequence[Path | DataFile]],
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
        channels: Channel to its files, or folders of files, whose own folders training sees; one is ``train``.
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
    s3: Any,
    bucket: str,
    manifest_key: str,
    objects: Sequence[DatasetObject],
    *,
    advance: Advance | None = None,
    before_manifest: Callable[[], None] | None = None,
) -> UploadedDataset:
    """Upload objects, then the manifest that names exactly their versions; before it, nothing starts a pipeline."""
    versions = _put_all(s3, bucket, objects, advance)
    indent = 2 if len(objects) <= _READABLE_OBJECTS else None
    body = json.dumps(manifest_of(objects, versions), indent=indent).encode()
    if before_manifest is not None:
        before_manifest()
    return UploadedDataset(bucket, manifest_key, put_object(s3, bucket, manifest_key, body, "application/json"))


def _put_all(s3: Any, bucket: str, objects: Sequence[DatasetObject], advance: Advance | None) -> list[str]:
    """Upload small objects several at once, and large ones one after the other; return their versions."""

    def put_small(one: DatasetObject) -> str:
        return _put_small(s3, bucket, one.key, one.content, advance)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        small = {one.key: pool.submit(put_small, one) for one in objects if not _is_large(one.content)}
        try:
            versions = {key: future.result() for key, future in small.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for one in objects:
        if isinstance(one.content, Path) and one.key not in versions:
            versions[one.key] = put_file(s3, bucket, one.key, one.content, advance)
    return [versions[one.key] for one in objects]


def _is_large(content: Path | bytes) -> bool:
    return not isinstance(content, bytes) and content.stat().st_size > _PART_BYTES


def _put_small(s3: Any, bucket: str, key: str, content: Path | bytes, advance: Advance | None) -> str:
    if isinstance(content, bytes):
        return put_object(s3, bucket, key, content, "text/csv")
    try:
        body = content.read_bytes()
    except OSError as error:
        raise MlopsError(f"{content} could not be read: {error.strerror}; nothing has started") from None
    with explained(f"{content} could not be uploaded to s3://{bucket}/{key}"):
        answer = s3.put_object(Bucket=bucket, Key=key, Body=body)
    if advance is not None:
        advance(content.name, len(body), len(body))
    return _version(answer, bucket)


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


def put_file(s3: Any, bucket: str, key: str, content: Path, advance: Advance | None = None) -> str:
    """Upload a file, in parts if it is large; return exactly the version that this upload created."""
    size, made = content.stat().st_size, dict[str, Any]()
    calls = ("after-call.s3.PutObject", "after-call.s3.CompleteMultipartUpload")

    def remember(parsed: dict[str, Any], **_: object) -> None:
        made.update(parsed)

    def tell(count: int) -> None:
        if advance is not None:
            advance(content.name, count, size)

    # Loaded only to upload a file: it takes longer than everything else here.
    from boto3.s3.transfer import S3Transfer

    for call in calls:
        s3.meta.events.register(call, remember)
    try:
        # Not s3.upload_file, which only the clients of boto3's own sessions have.
        with explained(f"{content} could not be uploaded to s3://{bucket}/{key}"), S3Transfer(s3) as transfer:
            transfer.upload_file(str(content), bucket, key, callback=tell)
    finally:
        for call in calls:
            s3.meta.events.unregister(call, remember)
    return _version(made, bucket)


def _version(answer: Mapping[str, Any], bucket: str) -> str:
    if "VersionId" not in answer:
        raise MlopsError(f"the bucket {bucket} has no versioning, which CodePipeline requires; enable it")
    return str(answer["VersionId"])
