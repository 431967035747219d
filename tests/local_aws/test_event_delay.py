"""S3 tells EventBridge of objects only some minutes after it was asked to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from local_aws.tiny_pipeline import DATA, STEP_SOURCE, Bench, make_function, s3_source, step, wait_for

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A pipeline that every upload starts, as soon as events flow."""
    with LocalAws(event_delay_seconds=300) as aws:
        bench = Bench(aws)
        make_function(aws, "step", STEP_SOURCE)
        bench.finished("late", bench.make_pipeline("late", [s3_source()], [step("One", {})]))
        aws.client("events").put_rule(Name="uploads", EventPattern=json.dumps({"source": ["aws.s3"]}))
        arn = f"arn:aws:codepipeline:{aws.region}:{aws.account_id}:late"
        target = {"Id": "late", "Arn": arn, "RoleArn": bench.events_role, "Input": "{}"}
        aws.client("events").put_targets(Rule="uploads", Targets=[target])
        setting = {"EventBridgeConfiguration": {}}
        bench.s3.put_bucket_notification_configuration(Bucket=DATA, NotificationConfiguration=setting)
        yield bench


def test_upload_soon_after_the_deployment_starts_nothing_and_a_later_one_does(bench: Bench) -> None:
    bench.upload()
    bench.aws.account.clock.advance(300)
    bench.upload()

    wait_for(lambda: len(bench.executions("late")) == 2)
    bench.finished("late", bench.executions("late")[0]["pipelineExecutionId"])

    assert len(bench.executions("late")) == 2


def test_time_does_not_run_backwards(bench: Bench) -> None:
    with pytest.raises(ValueError, match="forward only"):
        bench.aws.account.clock.advance(-1)
