"""Objects that may not exist, for a function that may list only a part of a bucket.

For an object that does not exist, S3 returns "access denied" to such a function: GetObject has no prefix, which the
condition of its permission to list asks for.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from handler_kit.errors import PERMISSION_CODES, StepError, error_code

_MISSING = frozenset({"NoSuchKey", "404"})
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class LostRaceError(StepError):
    """Somebody else has written an object since it was read."""


def exists(s3: Any, uri: str) -> bool:
    """Whether there is an object at ``s3://bucket/key``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    # The keys come in order, so the first one is the object if it exists.
    return key in [one["Key"] for one in found.get("Contents", [])]


def read_object(s3: Any, bucket: str, key: str) -> tuple[bytes, str] | None:
    """Read an object and its ETag; ``None`` when it does not exist. The function may list its key."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error_code(error) in _MISSING:
            return None
        if error_code(error) in PERMISSION_CODES and not exists(s3, f"s3://{bucket}/{key}"):
            return None
        raise
    return answer["Body"].read(), str(answer["ETag"])


def replace_object(s3: Any, bucket: str, key: str, body: bytes, etag: str | None, lost: str) -> str:
    """Write a JSON object if it still has this ETag, or with None still does not exist; return its new ETag.

    Raises LostRaceError with the message ``lost`` when somebody else has written it in between.
    """
    condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    try:
        answer = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", **condition)
    except ClientError as error:
        if error_code(error) not in _LOST and not (etag is not None and error_code(error) in _MISSING):
            raise
        raise LostRaceError(lost) from error
    return str(answer["ETag"])


def object_version(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """The key, version and size of an object as it is now; ``None`` when it does not exist."""
    try:
        found = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        denied = error_code(error) in PERMISSION_CODES
        if error_code(error) in _MISSING or (denied and not exists(s3, f"s3://{bucket}/{key}")):
            return None
        raise
    return {"key": key, "version_id": found.get("VersionId", "null"), "bytes": found["ContentLength"]}
