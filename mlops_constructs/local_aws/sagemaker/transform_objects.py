"""The objects in S3 of a transform job: what it reads, and where its output goes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.sagemaker.job_files import JobError, split_s3_uri

if TYPE_CHECKING:
    from mlops_constructs.local_aws.service import Params

OUTPUT_SUFFIX = ".out"


@dataclass(frozen=True)
class Places:
    """Where the input is.

    Attributes:
        bucket: Its bucket.
        prefix: Prefix of its keys.
        listed: The keys that a manifest names; None without a manifest.
    """

    bucket: str
    prefix: str
    listed: list[str] | None

    @classmethod
    def of(cls, request: Params, s3: Any) -> Places:
        """Read the request, and its manifest. Raises `JobError` when it is not a manifest."""
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        bucket, prefix = split_s3_uri(source["S3Uri"])
        if source["S3DataType"] != "ManifestFile":
            return cls(bucket, prefix, None)
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformS3DataSource.html
        try:
            first, *names = json.loads(s3.get_object(Bucket=bucket, Key=prefix)["Body"].read())
            bucket, prefix = split_s3_uri(first["prefix"])
            return cls(bucket, prefix, [f"{prefix}{name}" for name in names])
        except (ValueError, TypeError, KeyError) as error:
            raise JobError(f"ClientError: {source['S3Uri']} is not a manifest: {error!r}") from error

    def relative(self, key: str) -> str:
        """The part of a key that the output keeps: what follows the prefix, or the name of the only object."""
        rest = key[len(self.prefix) :]
        whole = not rest or not self.prefix.endswith("/")
        return key.rpartition("/")[2] if whole and "/" not in rest else rest.lstrip("/")


def input_keys(request: Params, s3: Any, places: Places) -> list[str]:
    """The keys of the input, without folder markers. Raises `JobError` when there are none."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=places.bucket, Prefix=places.prefix)
    found = [item["Key"] for page in pages for item in page.get("Contents", [])]
    missing = sorted(set(places.listed or ()) - set(found))
    if missing:
        raise JobError(f"ClientError: The manifest names objects that do not exist: {', '.join(missing[:5])}")
    keys = [key for key in (found if places.listed is None else places.listed) if not key.endswith("/")]
    if not keys:
        uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        raise JobError(f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source.')
    return keys


def store(s3: Any, request: Params, name: str, body: bytes) -> None:
    """Write an output object, with the key of the request. Raises `JobError` when the role may not."""
    output = request["TransformOutput"]
    bucket, prefix = split_s3_uri(output["S3OutputPath"])
    key_id = output.get("KmsKeyId")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    key = f"{prefix.rstrip('/')}/{name}" if prefix else name
    s3.put_object(Bucket=bucket, Key=key, Body=body, **encryption)
