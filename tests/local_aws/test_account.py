"""The account: its identity, its ARNs, moto's own answers, and what is told."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import wait_for
from patience import PATIENCE_SECONDS

from mlops_constructs.local_aws.account import Account
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = bytes(range(256)) * 100
KEY = "a b/ü%2Fx+y"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    # region: local_aws
    with LocalAws(region="eu-west-1") as aws:
        aws.client("s3").create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        print(aws.url)  # for AWS_ENDPOINT_URL
        # endregion
        yield aws


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
    ],
)
def test_arns_are_of_the_regions_partition(region: str, partition: str, suffix: str) -> None:
    account = Account(region=region)
    assert account.arn("sqs", "queue") == f"arn:{partition}:sqs:{region}:{account.account_id}:queue"
    assert account.arn("iam", "root", region="") == f"arn:{partition}:iam::{account.account_id}:root"
    assert account.arn("s3", "bucket", region="", account_id="") == f"arn:{partition}:s3:::bucket"
    assert account.dns_suffix == suffix


@pytest.mark.parametrize("body", [BODY, io.BytesIO(BODY)], ids=["bytes", "file"])
def test_moto_is_called_in_the_process_and_keeps_what_http_keeps(aws: LocalAws, body: Any) -> None:
    moto = aws.account.moto("s3")
    moto.put_object(Bucket="data", Key=KEY, Body=body, Metadata={"under_score": "x"}, ContentType="text/csv")
    there = aws.client("s3").get_object(Bucket="data", Key=KEY)
    here = moto.get_object(Bucket="data", Key=KEY)
    for name in ("ETag", "ContentType", "ContentLength", "Metadata", "LastModified"):
        assert here[name] == there[name]
    assert there["Body"].read() == BODY
    assert here["Body"].read(10) + b"".join(here["Body"].iter_chunks(1000)) == BODY


def test_an_error_of_moto_is_the_one_that_http_gives(aws: LocalAws) -> None:
    told = []
    for client in (aws.account.moto("sqs"), aws.client("sqs")):
        with pytest.raises(client.exceptions.QueueDoesNotExist) as caught:
            client.get_queue_url(QueueName="none")
        told.append(caught.value.response["Error"])
    assert told[0] == told[1]


def test_moto_is_reached_without_a_connection() -> None:
    account = Account(region="us-east-1")
    account.url = "http://127.0.0.1:9"  # nothing listens there
    account.moto("sqs").create_queue(QueueName="made")
    assert account.moto("sqs").get_queue_url(QueueName="made")["QueueUrl"].startswith("http://127.0.0.1:9/")


def test_a_thread_is_known_while_it_works() -> None:
    account, goes_on = Account(region="eu-west-1"), threading.Event()
    thread = account.spawn("job-1", lambda: goes_on.wait(PATIENCE_SECONDS) and None)
    assert account.working() == (["job-1"], 1)
    goes_on.set()
    thread.join(PATIENCE_SECONDS)
    assert account.working() == ([], 1)


def test_an_event_waits_until_it_is_delivered(aws: LocalAws) -> None:
    aws.events.emit({"source": "a.test", "detail-type": "Test", "detail": {}})
    wait_for(lambda: aws.events.waiting == 0)


def test_every_subscriber_gets_an_event() -> None:
    account = Account(region="us-east-1")
    first: list[Any] = []
    second: list[Any] = []
    account.subscribe(first.append)
    account.subscribe(second.append)
    account.emit({"source": "test"})
    assert first == second == [{"source": "test"}]
