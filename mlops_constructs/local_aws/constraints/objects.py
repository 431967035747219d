"""S3's buckets and objects, and the manifests of images in ECR."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from mlops_constructs.local_aws.constraints import keys
from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_PUTS = ("s3:PutObject", "s3:CopyObject", "s3:CreateMultipartUpload")
_PUT_OBJECT = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"
_METADATA_BYTES, _KEY_BYTES, _TAGS = 2048, 1024, 10
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!xn--)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")


def _metadata(params: Params, _: Account) -> str | None:
    size = sum(len(f"{name}{value}".encode()) for name, value in params.get("Metadata", {}).items())
    too_large = size > _METADATA_BYTES
    return "Your metadata headers exceed the maximum allowed metadata size" if too_large else None


def _key(params: Params, _: Account) -> str | None:
    return "Your key is too long" if len(params["Key"].encode()) > _KEY_BYTES else None


def _kms_key(params: Params, account: Account) -> str | None:
    key = params.get("SSEKMSKeyId")
    return keys.unusable(account, key) if key else None


def _tagging(params: Params, _: Account) -> str | None:
    tagging = params.get("Tagging", "")
    count = len(parse_qsl(tagging)) if isinstance(tagging, str) else len(tagging["TagSet"])
    return f"Object tags cannot be greater than {_TAGS}" if count > _TAGS else None


def _bucket(params: Params, _: Account) -> str | None:
    return None if _BUCKET.fullmatch(params["Bucket"]) else "The specified bucket is not valid."


def _digest(params: Params, _: Account) -> str | None:
    digest = f"sha256:{hashlib.sha256(params['imageManifest'].encode()).hexdigest()}"
    if params.get("imageDigest", digest) != digest:
        return f"The digest {params['imageDigest']} is not the digest of the manifest, {digest}"
    return None


RULES = (
    Rule(_PUTS, "MetadataTooLarge", f"{_PUT_OBJECT}: the user-defined metadata is limited to 2 KB", _metadata),
    Rule(
        _PUTS,
        "KeyTooLongError",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html: at most 1,024 bytes",
        _key,
    ),
    Rule(
        _PUTS,
        "KMS.NotFoundException",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
        _kms_key,
    ),
    Rule(
        (*_PUTS, "s3:PutObjectTagging"),
        "BadRequest",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html: up to 10 tags",
        _tagging,
    ),
    Rule(
        ("s3:CreateBucket",),
        "InvalidBucketName",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
        _bucket,
    ),
    Rule(
        ("ecr:PutImage",),
        "ImageDigestDoesNotMatchException",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html",
        _digest,
    ),
)
