"""The clock of the local AWS: when it is advanced, everything that is due by then happens."""

from __future__ import annotations

import itertools
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import moto
import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import Bench, action, make_function, s3_source, wait_for

from mlops_constructs import local_aws
from mlops_constructs.local_aws.clock import Clock, utc_now
from mlops_constructs.local_aws.faults.faults import Faults
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.moto_clock import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "dated"
ASKS = re.compile(r"(?:datetime|date)\.(?:now|today|utcnow)\(|\btime\.(?:time\(\)|gmtime|localtime)")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Writes by its own clock when it was invoked.
DIARY = """
import time
import boto3

s3 = boto3.client("s3")


def handler(event, context):
    s3.put_object(Bucket="dated", Key=f"diary/{event['detail-type']}/{time.time():.3f}", Body=b"")
    return time.time()
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws(docker=False) as aws:
        bench = Bench(aws)
        bench.upload()
        bench.s3.create_bucket(Bucket=BUCKET)
        make_function(aws, "write-diary", DIARY)
        yield bench


def schedule(bench: Bench, name: str, expression: str) -> None:
    """A rule that invokes the function which writes the diary."""
    events, lambda_ = bench.aws.client("events"), bench.aws.client("lambda")
    arn = lambda_.get_function(FunctionName="write-diary")["Configuration"]["FunctionArn"]
    rule = events.put_rule(Name=name, ScheduleExpression=expression)["RuleArn"]
    lambda_.add_permission(
        FunctionName="write-diary",
        StatementId=name,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    target = {"Id": "diary", "Arn": arn, "InputTransformer": {"InputTemplate": json.dumps({"detail-type": name})}}
    events.put_targets(Rule=name, Targets=[target])


def diary(bench: Bench, name: str) -> list[datetime]:
    listed = bench.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"diary/{name}/").get("Contents", [])
    return sorted(datetime.fromtimestamp(float(one["Key"].rsplit("/", 1)[1]), timezone.utc) for one in listed)


@pytest.fixture
def scheduled(bench: Bench) -> Iterator[Any]:
    """Make a schedule; it ends with the test."""
    made: list[str] = []

    def make(name: str, expression: str) -> None:
        made.append(name)
        schedule(bench, name, expression)

    yield make
    for name in made:
        bench.aws.client("events").disable_rule(Name=name)


def near(moment: datetime, wanted: datetime) -> bool:
    return abs(moment - wanted) < timedelta(minutes=2)


def test_without_a_local_aws_the_time_is_real() -> None:
    assert near(utc_now(), datetime.now(timezone.utc))


@pytest.mark.parametrize("wrong", [{"seconds": -1}, {"days": -1}, {"days": 40_000}, {"hours": float("nan")}])
def test_time_goes_forward_only_and_not_without_end(wrong: dict[str, float]) -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(**wrong)
    assert clock.ahead == 0


def test_every_date_that_a_service_gives_is_that_of_the_clock(bench: Bench) -> None:
    bench.aws.clock.advance(days=400, hours=1, minutes=1, seconds=1)
    now = datetime.now(timezone.utc) + timedelta(days=400, hours=1)
    aws, dates = bench.aws, {}
    dates["clock"] = aws.clock.utc()
    bench.s3.put_object(Bucket=BUCKET, Key="new", Body=b"")
    dates["s3"] = bench.s3.head_object(Bucket=BUCKET, Key="new")["LastModified"]
    bench.s3.create_bucket(Bucket="new-bucket")
    buckets = {one["Name"]: one["CreationDate"] for one in bench.s3.list_buckets()["Buckets"]}
    dates["bucket"] = buckets["new-bucket"]
    dates["kms"] = aws.client("kms").create_key()["KeyMetadata"]["CreationDate"]
    aws.client("ssm").put_parameter(Name="new", Value="1", Type="String")
    dates["ssm"] = aws.client("ssm").get_parameter(Name="new")["Parameter"]["LastModifiedDate"]
    dates["iam"] = aws.client("iam").create_user(UserName="new")["User"]["CreateDate"]
    dates["ecr"] = aws.client("ecr").create_repository(repositoryName="new")["repository"]["createdAt"]
    dates["log"] = log_date(bench)
    dates["codepipeline"] = execution_date(bench)
    assert {name: date for name, date in dates.items() if not near(date, now)} == {}


def log_date(bench: Bench) -> datetime:
    logs = bench.aws.client("logs")
    logs.create_log_group(logGroupName="new")
    created = logs.describe_log_groups(logGroupNamePrefix="new")["logGroups"][0]["creationTime"]
    return datetime.fromtimestamp(created / 1000, timezone.utc)


def execution_date(bench: Bench) -> datetime:
    execution = bench.make_pipeline("dated", [s3_source()], [action("Approve", "Manual", {})])
    bench.answer("dated", bench.approval_token("dated"), "Approved")
    bench.finished("dated", execution)
    started: datetime = bench.executions("dated")[0]["startTime"]
    return started


def test_no_service_asks_python_for_the_time_of_day() -> None:
    """Time limits of functions and the dates of snapshots are real time; a function's process knows no account."""
    folder = Path(local_aws.__file__).parent
    found = {path.name for path in folder.rglob("*.py") if ASKS.search(path.read_text(encoding="utf-8"))}
    assert found == {"bootstrap.py", "clock.py", "saver.py", "worker.py"}


def test_no_other_module_of_moto_asks_for_the_time_by_itself() -> None:
    """Those of services that the local AWS implements itself, or has not, do not matter."""
    folder = Path(moto.__file__).parent
    services = ("applicationautoscaling", "cloudwatch", "ecr", "events", "iam", "kms", "logs", "s3", "sns", "sqs")
    others = ("awslambda", "core", "codepipeline", "sagemaker", "servicequotas", "ssm", "sts")
    found = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        for service in (*services, *others)
        for path in (folder / service).rglob("*.py")
        if ASKS.search(path.read_text(encoding="utf-8"))
    }
    # moto runs no function here: its time zone and the events of DynamoDB streams are not asked for.
    assert found - {"moto.awslambda.models"} == set(SOURCES)


def test_a_function_sees_the_time_of_the_account_and_keeps_its_time_limit(bench: Bench) -> None:
    lambda_ = bench.aws.client("lambda")

    def invoke() -> float:
        payload = json.dumps({"detail-type": "by-hand"})
        return float(json.loads(lambda_.invoke(FunctionName="write-diary", Payload=payload)["Payload"].read()))

    for _ in range(2):
        assert abs(invoke() - bench.aws.clock.time()) < 60
        bench.aws.clock.advance(days=30)
    assert abs(invoke() - bench.aws.clock.time()) < 60


def test_a_process_whose_clock_would_go_back_is_not_used_again(bench: Bench) -> None:
    lambda_ = bench.aws.client("lambda")

    def process() -> object:
        lambda_.invoke(FunctionName="write-diary", Payload=json.dumps({"detail-type": "by-hand"}))
        (found,) = [
            workers
            for function, workers in bench.aws.lambda_._idle.items()
            if function.name == "write-diary" and workers
        ]
        return found[-1]

    with Faults(bench.aws) as faults:
        faults.inject("clock:86400:function=write-diary")
        ahead = process()
        assert process() is ahead
    assert process() is not ahead


@pytest.mark.parametrize(("days", "status"), [(6.9, "InProgress"), (7, "Failed")])
def test_38_an_approval_that_nobody_answers_expires_after_seven_days(bench: Bench, days: float, status: str) -> None:
    name = f"patient-{status.lower()}"
    execution = bench.make_pipeline(name, [s3_source()], [action("Approve", "Manual", {})])
    token = bench.approval_token(name)
    bench.aws.clock.advance(days=days)
    if status == "Failed":
        assert bench.finished(name, execution) == "Failed"
        assert bench.error(name, execution, "Approve")["message"] == "nobody approved or rejected within 10080 minutes"
    else:
        bench.answer(name, token, "Approved")
        assert bench.finished(name, execution) == "Succeeded"


def test_a_rate_is_due_once_in_each_period_and_its_function_sees_that_moment(bench: Bench, scheduled: Any) -> None:
    scheduled("every-six-hours", "rate(6 hours)")
    begin = bench.aws.clock.utc()
    bench.aws.clock.advance(hours=5, minutes=50)
    assert diary(bench, "every-six-hours") == []
    bench.aws.clock.advance(days=1)
    told = diary(bench, "every-six-hours")
    assert len(told) == 4
    assert all(near(one, begin + number * 6 * HOUR) for number, one in enumerate(told, start=1))


def test_a_cron_is_due_at_its_hours(bench: Bench, scheduled: Any) -> None:
    scheduled("mornings", "cron(30 6 * * ? *)")
    bench.aws.clock.advance(days=3)
    told = diary(bench, "mornings")
    assert [(one.hour, one.minute) for one in told] == [(6, 30)] * 3
    assert [later.date() - earlier.date() for earlier, later in itertools.pairwise(told)] == [DAY, DAY]


def test_two_schedules_of_one_moment_are_both_due(bench: Bench, scheduled: Any) -> None:
    scheduled("one-noon", "cron(0 12 * * ? *)")
    scheduled("other-noon", "cron(0 12 * * ? *)")
    bench.aws.clock.advance(days=1)
    assert [len(diary(bench, name)) for name in ("one-noon", "other-noon")] == [1, 1]


def test_a_disabled_rule_is_never_due(bench: Bench, scheduled: Any) -> None:
    scheduled("off", "rate(1 hour)")
    bench.aws.client("events").disable_rule(Name="off")
    bench.aws.clock.advance(hours=5)
    assert diary(bench, "off") == []


def test_a_schedule_that_the_local_aws_does_not_know_is_told(bench: Bench, scheduled: Any) -> None:
    told: list[str] = []
    bench.aws.add_listener(told.append)
    scheduled("last-friday", "cron(0 12 ? * 6L *)")
    bench.aws.clock.advance(hours=1)
    assert [line for line in told if "last-friday" in line and "does not run its schedule" in line]


def test_48_a_key_is_gone_when_its_waiting_period_has_ended(bench: Bench) -> None:
    kms = bench.aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    bench.s3.create_bucket(Bucket="encrypted")
    bench.s3.put_bucket_encryption(Bucket="encrypted", ServerSideEncryptionConfiguration={"Rules": [rule]})
    bench.s3.put_object(Bucket="encrypted", Key="model", Body=b"")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    bench.aws.clock.advance(days=6, hours=23)
    with pytest.raises(ClientError, match="KMSInvalidStateException"):
        bench.s3.get_object(Bucket="encrypted", Key="model")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    bench.aws.clock.advance(hours=1)
    with pytest.raises(ClientError, match="NotFoundException"):
        kms.describe_key(KeyId=key)
    with pytest.raises(ClientError, match=r"KMS\.NotFoundException.*does not exist"):
        bench.s3.get_object(Bucket="encrypted", Key="model")


def test_a_key_whose_deletion_was_cancelled_stays(bench: Bench) -> None:
    kms = bench.aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    bench.aws.clock.advance(days=8)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_a_message_comes_back_after_its_visibility_timeout_and_ends_with_its_retention(bench: Bench) -> None:
    sqs = bench.aws.client("sqs")
    attributes = {"VisibilityTimeout": "3600", "MessageRetentionPeriod": str(4 * 86_400)}
    url = sqs.create_queue(QueueName="patient", Attributes=attributes)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")

    def received() -> int:
        return len(sqs.receive_message(QueueUrl=url).get("Messages", []))

    assert (received(), received()) == (1, 0)
    bench.aws.clock.advance(hours=1, seconds=1)
    assert (received(), received()) == (1, 0)
    bench.aws.clock.advance(days=3)
    assert received() == 1
    bench.aws.clock.advance(days=1)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert (received(), attributes["ApproximateNumberOfMessages"]) == (0, "0")


def test_log_events_end_with_the_retention_of_their_group(bench: Bench) -> None:
    logs = bench.aws.client("logs")
    for group, days in (("short", 7), ("for-ever", None)):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        if days:
            logs.put_retention_policy(logGroupName=group, retentionInDays=days)
        event = {"timestamp": int(bench.aws.clock.time() * 1000), "message": "said"}
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])

    def kept() -> list[int]:
        return [len(logs.filter_log_events(logGroupName=group)["events"]) for group in ("short", "for-ever")]

    bench.aws.clock.advance(days=6, hours=23)
    assert kept() == [1, 1]
    bench.aws.clock.advance(hours=2)
    assert kept() == [0, 1]


def test_the_lifecycle_of_a_bucket_ends_objects_old_versions_and_abandoned_uploads(bench: Bench) -> None:
    bench.s3.create_bucket(Bucket="tidy")
    bench.s3.put_bucket_versioning(Bucket="tidy", VersioningConfiguration={"Status": "Enabled"})
    rules = [
        {
            "ID": "old",
            "Status": "Enabled",
            "Filter": {"Prefix": "old/"},
            "Expiration": {"Days": 10},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    ]
    bench.s3.put_bucket_lifecycle_configuration(Bucket="tidy", LifecycleConfiguration={"Rules": rules})
    for key in ("old/a", "old/a", "new/a"):
        bench.s3.put_object(Bucket="tidy", Key=key, Body=b"")
    for key in ("old/b", "new/b"):
        bench.s3.create_multipart_upload(Bucket="tidy", Key=key)

    def there() -> tuple[list[str], int, list[str]]:
        listed, versions = bench.s3.list_objects_v2(Bucket="tidy"), bench.s3.list_object_versions(Bucket="tidy")
        uploads = bench.s3.list_multipart_uploads(Bucket="tidy").get("Uploads", [])
        return (
            [one["Key"] for one in listed.get("Contents", [])],
            len(versions["Versions"]),
            sorted(one["Key"] for one in uploads),
        )

    assert there() == (["new/a", "old/a"], 3, ["new/b", "old/b"])
    bench.aws.clock.advance(days=4)
    assert there() == (["new/a", "old/a"], 2, ["new/b", "old/b"])
    bench.aws.clock.advance(days=4)
    assert there() == (["new/a", "old/a"], 2, ["new/b"])
    bench.aws.clock.advance(days=3)
    assert there() == (["new/a"], 2, ["new/b"])


def test_an_alarm_is_evaluated_for_every_minute_in_between(bench: Bench) -> None:
    cloudwatch, name = bench.aws.client("cloudwatch"), "between"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Ours",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    told: list[dict[str, Any]] = []
    bench.aws.account.subscribe(lambda event: told.append({**event, "at": utc_now()}))
    begin = bench.aws.clock.utc()
    for day in (0.1, 2, 5):
        at = begin + day * DAY
        bench.aws.cloudwatch.put_metric_data(
            {"Namespace": "Ours", "MetricData": [{"MetricName": name, "Value": 1.0, "Timestamp": at}]}
        )
    bench.aws.clock.advance(days=6)
    changes = [one for one in told if one["detail-type"] == "CloudWatch Alarm State Change"]
    rang = [one["at"] for one in changes if one["detail"]["state"]["value"] == "ALARM"]
    assert len(changes) == 7  # not of data at first, then three times there and back
    assert all(near(at, begin + day * DAY) for at, day in zip(rang, (0.1, 2, 5), strict=True))


def test_an_event_that_failed_for_longer_than_its_age_is_not_tried_again(bench: Bench) -> None:
    sqs, lambda_ = bench.aws.client("sqs"), bench.aws.client("lambda")
    url = sqs.create_queue(QueueName="given-up")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    told: list[str] = []

    def on_line(line: str) -> None:
        told.append(line)
        if "fails-slowly" in line and "attempt 1 of 3" in line:
            bench.aws.clock.advance(hours=6, seconds=1)

    bench.aws.add_listener(on_line)
    source = "def handler(event, context): raise RuntimeError"
    make_function(bench.aws, "fails-slowly", source, DeadLetterConfig={"TargetArn": queue})
    lambda_.invoke(FunctionName="fails-slowly", InvocationType="Event", Payload=b"{}")
    wait_for(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    assert [line for line in told if "too old to be tried again" in line]
    assert not [line for line in told if "attempt 2 of 3" in line]


def test_credentials_and_presigned_urls_outlive_a_jump(bench: Bench) -> None:
    """AWS would refresh those of a service; a test would have to ask for new ones."""
    keys = bench.aws.client("sts").assume_role(RoleArn=bench.role, RoleSessionName="long")["Credentials"]
    assert near(keys["Expiration"], bench.aws.clock.utc() + HOUR)
    bench.s3.put_object(Bucket=BUCKET, Key="signed", Body=b"read")
    url = bench.s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "signed"}, ExpiresIn=60)
    bench.aws.clock.advance(days=2)
    assert bench.aws.client("s3", keys).list_buckets()["Buckets"]
    with urlopen(url) as answer:
        assert answer.read() == b"read"
