"""Batch transform in the stack: what starts and ends a job, what its roles may do, and where a candidate is tested."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import CONTAINER, Synthesized, new_stack, synth

from mlops_constructs import (
    Algorithm,
    Approval,
    BatchTransform,
    ConfigError,
    Dataset,
    Endpoint,
    MLOpsPipeline,
    Monitoring,
    SmokeTest,
)

JOIN = BatchTransform(input_filter="$[1:]", join_source="Input", output_filter="$[0,-1]", max_concurrent_transforms=2)


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth(batch=JOIN, dev=Endpoint(smoke_test=SmokeTest(min_accuracy=0.9, max_latency_ms=5)))


def rule(stack: Synthesized, end: str) -> dict[str, Any]:
    (found,) = (one for one in stack.all("aws_cloudwatch_event_rule").values() if one["name"].endswith(end))
    return dict(found)


def statements(stack: Synthesized, purpose: str) -> list[dict[str, Any]]:
    policies = stack.all("aws_iam_role_policy")
    (policy,) = (one["policy"] for name, one in policies.items() if name.startswith(f"p_batch_{purpose}_policy_"))
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found


def resources(stack: Synthesized, purpose: str, action: str) -> list[str]:
    """Give the resources on which a role may do something."""
    found: list[str] = []
    for one in statements(stack, purpose):
        actions, places = ([x] if isinstance(x, str) else x for x in (one["Action"], one["Resource"]))
        found += places if action in actions else []
    return found


def dev_actions(stack: Synthesized) -> dict[str, int]:
    (pipeline,) = (one for one in stack.all("aws_codepipeline").values() if "image" not in one["name"])
    (found,) = (one["action"] for one in pipeline["stage"] if one["name"] == "DeployDev")
    return {one["name"]: one["run_order"] for one in found}


def test_the_default_pipeline_scores_no_files() -> None:
    plain = synth()
    assert not [name for name in plain.all("aws_lambda_function") if "_batch_" in name]
    assert "BatchSmokeTest" not in dev_actions(plain)


def test_a_candidate_is_tested_beside_the_smoke_test_of_dev(stack: Synthesized) -> None:
    actions = dev_actions(stack)
    assert actions["BatchSmokeTest"] == actions["SmokeTest"]


def test_a_baseline_comes_after_both() -> None:
    actions = dev_actions(synth(batch=BatchTransform(), monitoring=Monitoring()))
    assert actions["Baseline"] > actions["BatchSmokeTest"]


def test_an_upload_to_the_folder_starts_a_job(stack: Synthesized) -> None:
    pattern = json.loads(rule(stack, "-on-batch-upload")["event_pattern"])
    assert pattern["detail-type"] == ["Object Created"]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "scoring/"}], "size": [{"numeric": [">", 0]}]}


def test_with_a_schedule_an_upload_starts_nothing() -> None:
    scheduled = synth(batch=BatchTransform(schedule_expression="rate(1 day)"))
    assert rule(scheduled, "-on-batch-schedule")["schedule_expression"] == "rate(1 day)"
    assert not [one for one in scheduled.all("aws_cloudwatch_event_rule").values() if "batch-upload" in one["name"]]


def test_the_end_of_a_job_is_recorded(stack: Synthesized) -> None:
    detail = json.loads(rule(stack, "-on-batch-end")["event_pattern"])["detail"]
    assert detail["TransformJobStatus"] == ["Completed", "Failed", "Stopped"]
    (prefix,) = detail["TransformJobName"]
    assert prefix["prefix"].endswith("-batch-")


def test_a_job_joins_files_and_tests_golden_records_as_they_are(stack: Synthesized) -> None:
    scores, tests = (stack.function_document(name)["transform_job"] for name in ("start_batch", "batch_smoke_test"))
    assert scores["DataProcessing"] == {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    assert "DataProcessing" not in tests
    assert scores["MaxConcurrentTransforms"] == tests["MaxConcurrentTransforms"] == 2


def test_files_that_are_not_split_have_no_strategy() -> None:
    whole = synth(batch=BatchTransform(split_type="None"))
    assert "BatchStrategy" not in whole.function_document("start_batch")["transform_job"]
    assert whole.function_document("batch_smoke_test")["transform_job"]["BatchStrategy"] == "MultiRecord"


def test_the_requirements_are_those_of_dev_without_latency(stack: Synthesized) -> None:
    (function,) = (one for name, one in stack.all("aws_lambda_function").items() if "batch_smoke_test_function" in name)
    variables = function["environment"]["variables"]
    assert (variables["MIN_ACCURACY"], variables["MAX_LATENCY_MS"]) == ("0.9", "")


def test_jobs_read_files_and_write_predictions_only(stack: Synthesized) -> None:
    assert [one.partition("/")[2] for one in resources(stack, "role", "s3:PutObject")] == [
        "predictions/*",
        f"batch-tests/{stack.pipeline.name}/*/out/*",
    ]
    read = [one.partition("/")[2] for one in resources(stack, "role", "s3:GetObject")]
    assert read == [
        "scoring/*",
        "predictions/*/manifest.json",
        f"batch-tests/{stack.pipeline.name}/*/in/*",
        f"models/{stack.pipeline.name}/*",
    ]


@pytest.mark.parametrize(("purpose", "kind"), [("start_batch_role", "batch"), ("batch_smoke_test_role", "golden")])
def test_a_function_starts_its_own_jobs_with_its_own_models(stack: Synthesized, purpose: str, kind: str) -> None:
    jobs = {one.rpartition(":")[2] for one in resources(stack, purpose, "sagemaker:CreateTransformJob")}
    assert jobs == {f"transform-job/{stack.pipeline.name}-{kind}-*"}
    (creates,) = (one for one in statements(stack, purpose) if one["Action"] == "sagemaker:CreateModel")
    assert creates["Condition"]["Bool"] == {"sagemaker:NetworkIsolation": "true"}


def test_the_output_in_an_existing_bucket_has_the_key_of_the_bucket() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
    existing = synth(batch=BatchTransform(), dataset=Dataset.from_bucket("lake", kms_key_arn=key))
    (function,) = (one for name, one in existing.all("aws_lambda_function").items() if "start_batch_function" in name)
    assert function["environment"]["variables"]["OUTPUT_KEY_ARN"] == key


def test_people_of_another_topic_are_notified_there() -> None:
    theirs = synth(batch=BatchTransform(), approval=Approval(topic_arn="arn:aws:sns:us-east-1:123456789012:team"))
    for purpose in ("start_batch_role", "record_batch_role"):
        assert resources(theirs, purpose, "sns:Publish") == ["arn:aws:sns:us-east-1:123456789012:team"]


def test_a_pipeline_that_only_scores_files_has_no_instances_in_between() -> None:
    idle = synth(batch=BatchTransform(), dev=Endpoint.serverless(), production=Endpoint.serverless())
    assert "BatchSmokeTest" in dev_actions(idle)
    assert idle.function_document("start_batch") == synth(batch=BatchTransform()).function_document("start_batch")


def test_a_grant_to_score_needs_batches() -> None:
    pipeline = MLOpsPipeline(new_stack(), "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    with pytest.raises(ConfigError, match="give a BatchTransform"):
        pipeline.grant_score("crm", "crm")
