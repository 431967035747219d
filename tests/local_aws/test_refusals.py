"""Kinder nowhere: what AWS is known to refuse is refused here with its code, and the good request is taken."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError
from local_aws.refusals import alarm_calls, other_calls, pretended, sagemaker_calls
from local_aws.refusals.world import World
from local_aws.tiny_container import local_aws
from local_aws.tiny_pipeline import DATA
from urllib3.filepost import encode_multipart_formdata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.refusals.calls import Refusal

REFUSALS = [*sagemaker_calls.CALLS, *other_calls.CALLS, *alarm_calls.CALLS]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with local_aws() as aws:
        yield World(aws)


@pytest.mark.parametrize("refusal", REFUSALS, ids=[refusal.id for refusal in REFUSALS])
def test_refused_as_aws_refuses_it(world: World, refusal: Refusal) -> None:
    with pytest.raises(ClientError) as caught:
        world.call(refusal.call, refusal.request(world))
    assert caught.value.response["Error"]["Code"] == refusal.code, caught.value


@pytest.mark.parametrize("call", pretended.CALLS)
def test_what_nothing_carries_out_is_refused_by_name(world: World, call: str) -> None:
    with pytest.raises(ClientError, match=f"the local AWS does not implement {call}") as caught:
        world.call(call, pretended.PARAMS.get(call, {}))
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"


def test_upload_by_a_form_is_refused_by_name(world: World) -> None:
    form = world.bench.s3.generate_presigned_post(DATA, "by-a-form")
    body, content_type = encode_multipart_formdata({**form["fields"], "file": ("f.csv", "1,2")})
    request = urllib.request.Request(form["url"], body, {"Content-Type": content_type})
    with pytest.raises(HTTPError, match="501"):
        urllib.request.urlopen(request)
    with pytest.raises(ClientError, match="404"):
        world.bench.s3.head_object(Bucket=DATA, Key="by-a-form")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_right_checksum_is_taken(world: World, algorithm: str) -> None:
    checksums = {  # of the bytes "abc", from the published algorithms
        "CRC32": "NSRBwg==",
        "CRC32C": "Nks/tw==",
        "CRC64NVME": "BeXKuz/B+us=",
        "SHA1": "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
        "SHA256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
    }
    world.bench.s3.put_object(Bucket=DATA, Key=algorithm, Body=b"abc", **{f"Checksum{algorithm}": checksums[algorithm]})


@pytest.mark.parametrize(("trailer", "status"), [("NSRBwg==", 200), ("AAAAAA==", 400)])
def test_checksum_behind_the_chunks_is_compared(world: World, trailer: str, status: int) -> None:
    body = f"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n".encode()
    headers = {
        "Content-Encoding": "aws-chunked",
        "Content-Type": "application/octet-stream",
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": "3",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    request = urllib.request.Request(f"{world.aws.url}/{DATA}/chunked", body, headers, method="PUT")
    if status == 400:
        with pytest.raises(HTTPError, match="400"):
            urllib.request.urlopen(request)
        return
    assert urllib.request.urlopen(request).status == status
    assert world.bench.s3.get_object(Bucket=DATA, Key="chunked")["Body"].read() == b"abc"


@pytest.mark.parametrize("call", sorted({refusal.call for refusal in REFUSALS}))
def test_good_request_is_taken(world: World, call: str) -> None:
    answer = world.call(call, world.request(call))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] < 300
