"""Buckets, key and queue."""

from __future__ import annotations

import json

import pytest
from synthesis import Synthesized, synth

from mlops_constructs import Existing


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth()


@pytest.fixture(scope="module")
def disposable() -> Synthesized:
    return synth(removal="destroy")


def test_every_bucket_is_versioned_private_and_encrypted_with_the_key(stack: Synthesized) -> None:
    buckets = set(stack.all("aws_s3_bucket"))
    assert len(buckets) == 2

    def covered(kind: str) -> set[str]:
        return {resource["bucket"].split(".")[1] for resource in stack.all(kind).values()}

    for kind in (
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_lifecycle_configuration",
    ):
        assert covered(kind) == buckets, kind
    for block in stack.all("aws_s3_bucket_public_access_block").values():
        assert all(value for name, value in block.items() if name.startswith(("block_", "ignore_", "restrict_")))
    for encryption in stack.all("aws_s3_bucket_server_side_encryption_configuration").values():
        (rule,) = encryption["rule"]
        default = rule["apply_server_side_encryption_by_default"]
        assert default["sse_algorithm"] == "aws:kms"
        assert default["kms_master_key_id"].startswith("${aws_kms_key.")


def test_buckets_refuse_plain_http(stack: Synthesized) -> None:
    for policy in stack.all("aws_s3_bucket_policy").values():
        (statement,) = json.loads(policy["policy"])["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_the_data_bucket_reports_to_eventbridge(stack: Synthesized) -> None:
    notification = stack.one("aws_s3_bucket_notification", eventbridge=True)
    (name,) = [id_ for id_, bucket in stack.all("aws_s3_bucket").items() if "-data-" in bucket["bucket"]]
    # By way of the versioning, which CodePipeline's source needs before the first event.
    versioning = stack.all("aws_s3_bucket_versioning")[notification["bucket"].split(".")[1]]
    assert name in versioning["bucket"]


def test_undelivered_events_are_kept_encrypted_without_a_right_to_the_key(stack: Synthesized) -> None:
    queue = stack.one("aws_sqs_queue")
    assert queue["sqs_managed_sse_enabled"] is True
    assert "kms_master_key_id" not in queue
    principals = [one["Principal"] for one in json.loads(stack.one("aws_kms_key")["policy"])["Statement"]]
    assert "events.amazonaws.com" not in str(principals)


def test_04_the_approvers_are_told_of_an_undelivered_event(stack: Synthesized) -> None:
    alarm = stack.one("aws_cloudwatch_metric_alarm", namespace="AWS/SQS")
    assert alarm["dimensions"] == {"QueueName": stack.one("aws_sqs_queue")["name"]}
    assert (alarm["metric_name"], alarm["threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    (topic,) = alarm["alarm_actions"]
    assert topic.startswith("${aws_sns_topic.")
    statements = json.loads(stack.one("aws_kms_key")["policy"])["Statement"]
    assert any(one["Principal"] == {"Service": "cloudwatch.amazonaws.com"} for one in statements)


def test_a_queue_that_is_handed_in_is_watched_by_its_owner() -> None:
    handed_in = synth(existing=Existing(dead_letter_queue_arn="arn:aws:sqs:us-east-1:111122223333:lost"))
    watched = {alarm.get("namespace") for alarm in handed_in.all("aws_cloudwatch_metric_alarm").values()}
    assert watched == {"AWS/CodePipeline", None}
    assert handed_in.pipeline.alarms.dead_letters is None


def test_the_key_rotates(stack: Synthesized) -> None:
    assert stack.one("aws_kms_key")["enable_key_rotation"] is True


def test_data_is_retained_by_default(stack: Synthesized) -> None:
    assert {bucket["force_destroy"] for bucket in stack.all("aws_s3_bucket").values()} == {False}
    assert stack.one("aws_ecr_repository")["force_delete"] is False


def test_the_key_is_not_deleted_while_a_bucket_that_is_not_empty_stays(
    stack: Synthesized, disposable: Synthesized
) -> None:
    (key,) = stack.all("aws_kms_key")
    buckets = stack.all("aws_s3_bucket").values()
    assert [bucket["depends_on"] for bucket in buckets] == [[f"aws_kms_key.{key}"]] * 2
    # These are emptied; nothing waits for the ten seconds that a key takes.
    assert not any("depends_on" in bucket for bucket in disposable.all("aws_s3_bucket").values())


def test_a_bucket_under_an_existing_key_waits_for_none() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    stack = synth(existing=Existing(kms_key_arn=key))
    assert not any("depends_on" in bucket for bucket in stack.all("aws_s3_bucket").values())


def test_data_goes_with_the_stack_when_asked(disposable: Synthesized) -> None:
    assert {bucket["force_destroy"] for bucket in disposable.all("aws_s3_bucket").values()} == {True}
    assert disposable.one("aws_ecr_repository")["force_delete"] is True


def test_names_come_from_the_provider_not_from_a_guess(stack: Synthesized) -> None:
    for bucket in stack.all("aws_s3_bucket").values():
        assert "${data.aws_caller_identity." in bucket["bucket"]
        assert "${data.aws_region." in bucket["bucket"]


def test_a_bucket_policy_waits_for_the_public_access_block(stack: Synthesized) -> None:
    for policy in stack.all("aws_s3_bucket_policy").values():
        assert any(dependency.startswith("aws_s3_bucket_public_access_block.") for dependency in policy["depends_on"])
