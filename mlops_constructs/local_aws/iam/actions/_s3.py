"""The permissions that calls of S3 need.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from ..calls import Check
from ..request import Context
from ._rows import key_checks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..calls import Call, Facts
    from ._rows import Checks, Table

_READ, _WRITE = ("Decrypt",), ("GenerateDataKey",)
# The parts of an upload are read again: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
_UPLOAD = ("GenerateDataKey", "Decrypt")


def bucket_arn(call: Call, bucket: str) -> str:
    """Return the ARN of a bucket, which contains neither region nor account."""
    return bucket if bucket.startswith("arn:") else f"arn:{call.site.partition}:s3:::{bucket}"


def _object_arn(call: Call) -> str:
    return f"{bucket_arn(call, call.text('Bucket'))}/{call.text('Key')}"


def _on_bucket(action: str, keys: dict[str, str] | None = None) -> Checks:
    """Need an action on the bucket; ``keys`` maps condition keys to members of the request."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        given = {key: call.text(member) for key, member in (keys or {}).items() if member in call.params}
        yield Check(f"s3:{action}", bucket_arn(call, call.text("Bucket")), Context(given))

    return checks


def _on_version(action: str, version_action: str, key_actions: Iterable[str] = ()) -> Checks:
    """Need an action on an object, or another action when the call names a version of it."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        yield from _read(call, facts, _object_arn(call), call.text("VersionId"), (action, version_action), key_actions)

    return checks


def _read(
    call: Call, facts: Facts, arn: str, version: str, actions: tuple[str, str], key_actions: Iterable[str]
) -> Iterable[Check]:
    plain, of_version = actions
    if version:
        yield Check(f"s3:{of_version}", arn, Context({"s3:versionid": version}))
    else:
        yield Check(f"s3:{plain}", arn)
    yield from _key(call, facts.kms_key(arn, version or None), arn, key_actions)


def _key(call: Call, key: str | None, arn: str, actions: Iterable[str]) -> Iterable[Check]:
    """Need a customer managed key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"""
    if key:
        yield from key_checks(key, call, "s3", actions, {"kms:EncryptionContext:aws:s3:arn": arn})


def _write_context(call: Call) -> Context:
    members = {
        "s3:x-amz-acl": "ACL",
        "s3:x-amz-server-side-encryption": "ServerSideEncryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
        "s3:x-amz-storage-class": "StorageClass",
        "s3:if-none-match": "IfNoneMatch",
        "s3:if-match": "IfMatch",
    }
    return Context({key: call.text(member) for key, member in members.items() if call.text(member)})


def _tag_context(tags: dict[str, str]) -> Context:
    by_key = {f"s3:RequestObjectTag/{key}": value for key, value in tags.items()}
    return Context({"s3:RequestObjectTagKeys": list(tags), **by_key})


def _write(key_actions: Iterable[str]) -> Checks:
    """Need to write an object, its tags and ACL if the call has them, and to use the key."""

    def checks(call: Call, facts: Facts) -> Iterable[Check]:
        arn, tags = _object_arn(call), _tag_context(dict(parse_qsl(call.text("Tagging"))))
        yield Check("s3:PutObject", arn, _write_context(call).under(tags))
        if call.text("Tagging"):
            yield Check("s3:PutObjectTagging", arn, tags)
        if call.text("ACL"):
            yield Check("s3:PutObjectAcl", arn, Context({"s3:x-amz-acl": call.text("ACL")}))
        yield from _key(call, _key_written_with(call, facts), arn, key_actions)

    return checks


def _key_written_with(call: Call, facts: Facts) -> str | None:
    """Return the key that the call names, or the bucket's default key; None for the AWS managed key for S3.

    That key's policy allows everybody in the account to use it through S3:
    https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
    """
    named = call.text("SSEKMSKeyId")
    if named:
        return None if named.rpartition("alias/")[2] == "aws/s3" else named
    if call.text("ServerSideEncryption") == "AES256":
        return None
    return facts.kms_key(bucket_arn(call, call.text("Bucket")))


def _copy(call: Call, facts: Facts) -> Iterable[Check]:
    """Need to read the source and to write the copy; tags are copied with the object unless the call replaces them.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    source, version = _source(call)
    yield from _read(call, facts, source, version, ("GetObject", "GetObjectVersion"), _READ)
    yield from _write(_WRITE)(call, facts)
    if call.text("TaggingDirective") != "REPLACE" and facts.is_tagged(source, version or None):
        tagging = ("GetObjectTagging", "GetObjectVersionTagging")
        yield from _read(call, facts, source, version, tagging, ())
        yield Check("s3:PutObjectTagging", _object_arn(call))


def _copy_part(call: Call, facts: Facts) -> Iterable[Check]:
    source, version = _source(call)
    yield from _read(call, facts, source, version, ("GetObject", "GetObjectVersion"), _READ)
    yield Check("s3:PutObject", _object_arn(call))


def _source(call: Call) -> tuple[str, str]:
    """Return the ARN of the copied object, and its version."""
    source = call.params.get("CopySource", "")
    if isinstance(source, dict):
        path, version = f"{source['Bucket']}/{source['Key']}", source.get("VersionId", "")
    else:
        path, _, query = str(source).lstrip("/").partition("?")
        path, version = unquote(path), dict(parse_qsl(query)).get("versionId", "")
    return bucket_arn(call, path), version


def _delete_many(call: Call, facts: Facts) -> Iterable[Check]:
    bucket = bucket_arn(call, call.text("Bucket"))
    for one in call.params.get("Delete", {}).get("Objects", ()):
        action = "DeleteObjectVersion" if one.get("VersionId") else "DeleteObject"
        yield Check(f"s3:{action}", f"{bucket}/{one['Key']}")


def _put_tags(call: Call, facts: Facts) -> Iterable[Check]:
    action = "PutObjectVersionTagging" if call.text("VersionId") else "PutObjectTagging"
    tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tagging", {}).get("TagSet", ())}
    yield Check(f"s3:{action}", _object_arn(call), _tag_context(tags))


def _list_buckets(call: Call, facts: Facts) -> Iterable[Check]:
    yield Check("s3:ListAllMyBuckets")


_LISTING = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}
_GET = _on_version("GetObject", "GetObjectVersion", _READ)

_ROWS: dict[str, Checks] = {
    "GetObject": _GET,
    "HeadObject": _GET,
    "PutObject": _write(_WRITE),
    "CreateMultipartUpload": _write(_UPLOAD),
    "UploadPart": _on_version("PutObject", "PutObject"),
    "CompleteMultipartUpload": _on_version("PutObject", "PutObject"),
    "UploadPartCopy": _copy_part,
    "CopyObject": _copy,
    "AbortMultipartUpload": _on_version("AbortMultipartUpload", "AbortMultipartUpload"),
    "ListParts": _on_version("ListMultipartUploadParts", "ListMultipartUploadParts"),
    "DeleteObject": _on_version("DeleteObject", "DeleteObjectVersion"),
    "DeleteObjects": _delete_many,
    "GetObjectTagging": _on_version("GetObjectTagging", "GetObjectVersionTagging"),
    "PutObjectTagging": _put_tags,
    "GetObjectAcl": _on_version("GetObjectAcl", "GetObjectVersionAcl"),
    "ListObjects": _on_bucket("ListBucket", _LISTING),
    "ListObjectsV2": _on_bucket("ListBucket", _LISTING),
    "HeadBucket": _on_bucket("ListBucket"),
    "ListObjectVersions": _on_bucket("ListBucketVersions", _LISTING),
    "ListMultipartUploads": _on_bucket("ListBucketMultipartUploads"),
    "GetBucketVersioning": _on_bucket("GetBucketVersioning"),
    "PutBucketVersioning": _on_bucket("PutBucketVersioning"),
    "GetBucketLocation": _on_bucket("GetBucketLocation"),
    "GetBucketAcl": _on_bucket("GetBucketAcl"),
    "GetBucketPolicy": _on_bucket("GetBucketPolicy"),
    "GetBucketTagging": _on_bucket("GetBucketTagging"),
    "GetBucketEncryption": _on_bucket("GetEncryptionConfiguration"),
    "GetBucketNotificationConfiguration": _on_bucket("GetBucketNotification"),
    "PutBucketNotificationConfiguration": _on_bucket("PutBucketNotification"),
    "CreateBucket": _on_bucket("CreateBucket"),
    "DeleteBucket": _on_bucket("DeleteBucket"),
    "ListBuckets": _list_buckets,
}

TABLE: Table = {("s3", operation): row for operation, row in _ROWS.items()}


def read_object(call: Call, facts: Facts, uri: str) -> Iterable[Check]:
    """Need to read the object at ``s3://bucket/key``."""
    yield from _read(call, facts, bucket_arn(call, uri.removeprefix("s3://")), "", ("GetObject", ""), _READ)


def needed_to_see_missing(call: Call) -> Check:
    """Return the permission with which S3 returns 404 for an object that does not exist; without it S3 returns 403.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    return Check("s3:ListBucket", bucket_arn(call, call.text("Bucket")))
