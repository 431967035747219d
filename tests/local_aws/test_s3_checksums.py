"""An object that was uploaded in parts can be read, and copied, and the copy can be read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from local_aws.tiny_container import local_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1024**2
BODY = b"0123456789abcdef" * (6 * MEGABYTE // 16)
IN_PARTS = TransferConfig(multipart_threshold=5 * MEGABYTE, multipart_chunksize=5 * MEGABYTE)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with local_aws() as aws:
        keys = {"aws_access_key_id": "AKIALOCALAWS00000000", "aws_secret_access_key": "local-aws"}
        client = boto3.client("s3", endpoint_url=aws.url, region_name=aws.region, **keys)
        client.create_bucket(Bucket="data")
        client.upload_fileobj(io.BytesIO(BODY), "data", "parts", Config=IN_PARTS)
        yield client
        client.close()


def read(s3: Any, key: str) -> bytes:
    """Read it; boto3 compares the checksum."""
    return bytes(s3.get_object(Bucket="data", Key=key)["Body"].read())


def test_what_was_uploaded_in_parts_is_read_whole(s3: Any) -> None:
    assert s3.head_object(Bucket="data", Key="parts")["ETag"].endswith('-2"')
    assert read(s3, "parts") == BODY


@pytest.mark.parametrize("options", [{}, {"ChecksumAlgorithm": "SHA256"}], ids=["same algorithm", "another algorithm"])
def test_a_copy_has_the_checksum_of_its_content(s3: Any, options: dict[str, str]) -> None:
    s3.copy_object(Bucket="data", Key="copy", CopySource={"Bucket": "data", "Key": "parts"}, **options)
    assert read(s3, "copy") == BODY
