"""Whether an object exists, for a function that may list only a part of a bucket."""

from __future__ import annotations

from typing import Any


def exists(s3: Any, uri: str) -> bool:
    """Whether there is an object at ``s3://bucket/key``.

    For an object that does not exist, S3 returns "access denied" to a role that may list only a part of the bucket.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    # The keys come in order, so the first one is the object if it exists.
    return key in [one["Key"] for one in found.get("Contents", [])]
