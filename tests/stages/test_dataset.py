"""The synthesized JSON of each option of a data set."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import Synthesized, document_of, new_stack, synth

from mlops_constructs import Algorithm, Column, DataContract, Dataset, MLOpsPipeline

from synthesis import CONTAINER  # isort: skip

KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
LAKE = Dataset.from_bucket("team-data", prefix="churn/", kms_key_arn=KEY)


@pytest.fixture(scope="module")
def own() -> Synthesized:
    return synth()


@pytest.fixture(scope="module")
def lake() -> Synthesized:
    return synth(dataset=LAKE)


def source(stack: Synthesized) -> dict[str, str]:
    configuration: dict[str, str] = stack.stages()["Source"][0]["configuration"]
    return configuration


def pattern(stack: Synthesized) -> dict[str, Any]:
    rule = stack.one("aws_cloudwatch_event_rule", name=f"{stack.pipeline.name}-on-upload")
    found: dict[str, Any] = json.loads(rule["event_pattern"])
    return found


def settings(stack: Synthesized, folder: str = "check_dataset") -> dict[str, str]:
    function = stack.one("aws_lambda_function", handler=f"{folder}.handler.handler")
    variables: dict[str, str] = function["environment"]["variables"]
    return variables


def reach(statements: list[dict[str, Any]], action: str) -> list[str]:
    """Every resource that an action is allowed on."""
    found = []
    for statement in statements:
        if action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]):
            found += [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
    return found


def test_an_existing_bucket_is_neither_made_nor_changed(lake: Synthesized) -> None:
    for kind, resources in lake.document["resource"].items():
        for one in resources.values():
            if kind.startswith("aws_s3_") and kind != "aws_s3_object":
                assert one["bucket"] != "team-data", kind
    assert lake.all("aws_s3_bucket_notification") == {}
    assert source(lake)["S3Bucket"] == "team-data"
    assert pattern(lake)["detail"]["bucket"] == {"name": ["team-data"]}


def test_its_notifications_are_set_only_when_asked() -> None:
    stack = synth(dataset=Dataset.from_bucket("team-data", manage_notifications=True))
    assert stack.one("aws_s3_bucket_notification") == {
        **stack.one("aws_s3_bucket_notification"),
        "bucket": "team-data",
        "eventbridge": True,
    }


@pytest.mark.parametrize(
    ("dataset", "told", "silent"),
    [
        (Dataset.from_bucket("team-data"), "EventBridge", "key policy"),
        (Dataset.from_bucket("team-data", manage_notifications=True), "versioning", "EventBridge"),
        (LAKE, "key policy", "not told"),
    ],
)
def test_an_output_says_what_its_owner_must_see_to(dataset: Dataset, told: str, silent: str) -> None:
    outputs = synth(dataset=dataset).document["output"]
    (needs,) = [output["value"] for name, output in outputs.items() if "data_bucket_needs" in name]
    assert told in needs
    assert silent not in needs


def test_a_bucket_of_its_own_needs_nothing_said(own: Synthesized) -> None:
    assert not [name for name in own.document["output"] if "needs" in name]


def test_exactly_the_prefix_of_an_existing_bucket_is_read(lake: Synthesized) -> None:
    for role in ("check-dataset", f"{lake.pipeline.name}-pipeline", "notebook"):
        statements = lake.policy(role)
        objects = [one for one in reach(statements, "s3:GetObject") if "team-data" in one]
        assert [one.rpartition(":")[2] for one in objects] == ["team-data/churn/*"]
        assert KEY in reach(statements, "kms:Decrypt")
        for statement in statements:
            if "s3:ListBucket" in statement["Action"] and "team-data" in str(statement["Resource"]):
                assert statement["Condition"] == {"StringLike": {"s3:prefix": ["churn/*"]}}


def test_only_of_its_own_bucket_can_the_pipeline_tell_a_missing_object(own: Synthesized, lake: Synthesized) -> None:
    for stack, listed in ((own, 1), (lake, 0)):
        statements = stack.policy(f"{stack.pipeline.name}-pipeline")
        assert len(reach(statements, "s3:ListBucket")) == listed


@pytest.mark.parametrize(("duplicates", "looks"), [("allow", False), ("skip", True), ("refuse", True)])
def test_what_was_trained_before_is_read_only_to_find_duplicates(duplicates: Any, looks: bool) -> None:
    stack = synth(dataset=Dataset(duplicates=duplicates))
    assert ("trained/" in json.dumps(stack.policy("check-dataset"))) is looks


def test_no_role_writes_what_it_only_reads(lake: Synthesized) -> None:
    for role in ("check-dataset", f"{lake.pipeline.name}-pipeline"):
        assert not [one for one in reach(lake.policy(role), "s3:PutObject") if "team-data" in one]
        assert KEY not in reach(lake.policy(role), "kms:GenerateDataKey")


def test_a_bucket_of_the_same_stack_may_be_handed_in_as_a_reference() -> None:
    from mlops_constructs.provider import s3_bucket

    stack = new_stack()
    bucket = s3_bucket.S3Bucket(stack, "lake", bucket="team-data")
    MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset.from_bucket(bucket.id))
    (function,) = [
        one
        for one in document_of(stack)["resource"]["aws_lambda_function"].values()
        if one["handler"] == "check_dataset.handler.handler"
    ]
    assert function["environment"]["variables"]["READABLE"] == "s3://${aws_s3_bucket.lake.id}/datasets/"


def test_who_may_upload_may_use_the_buckets_own_key() -> None:
    stack = new_stack()
    pipeline = MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=LAKE)
    pipeline.grant_upload("etl", "loader")
    (policy,) = [
        json.loads(one["policy"])["Statement"]
        for one in document_of(stack)["resource"]["aws_iam_role_policy"].values()
        if one["role"] == "loader"
    ]
    assert [one.rpartition(":")[2] for one in reach(policy, "s3:PutObject")] == ["team-data/churn/*"]
    assert reach(policy, "kms:GenerateDataKey") == [KEY]


def test_prefix_and_suffix_are_one_condition() -> None:
    stack = synth(dataset=Dataset(suffix=".csv"))
    assert pattern(stack)["detail"]["object"] == {
        "key": [{"wildcard": "datasets/*.csv"}],
        "size": [{"numeric": [">", 0]}],
    }


def test_without_a_suffix_the_prefix_decides(own: Synthesized) -> None:
    assert pattern(own)["detail"]["object"]["key"] == [{"prefix": "datasets/"}]


@pytest.mark.parametrize(("starts", "state"), [(True, None), (False, "DISABLED")])
def test_where_uploads_start_nothing_the_rule_is_there_but_disabled(starts: bool, state: str | None) -> None:
    stack = synth(dataset=Dataset(start_on_upload=starts))
    rule = stack.one("aws_cloudwatch_event_rule", name=f"{stack.pipeline.name}-on-upload")
    assert rule.get("state") == state


def test_a_schedule_calls_a_function_that_may_start_exactly_this_pipeline() -> None:
    stack = synth(dataset=Dataset(schedule_expression="rate(1 day)", suffix=".csv"))
    rule = stack.one("aws_cloudwatch_event_rule", name=f"{stack.pipeline.name}-on-schedule")
    assert rule["schedule_expression"] == "rate(1 day)"
    assert "event_pattern" not in rule
    (target,) = [one for id_, one in stack.all("aws_cloudwatch_event_target").items() if "on_schedule" in id_]
    assert target["dead_letter_config"]["arn"].startswith("${aws_sqs_queue.")
    assert settings(stack, "start_newest") == {
        "PIPELINE": stack.pipeline.name,
        "ACTION": "Dataset",
        "BUCKET": settings(stack, "start_newest")["BUCKET"],
        "PREFIX": "datasets/",
        "SUFFIX": ".csv",
    }
    (started,) = reach(stack.policy("start-newest"), "codepipeline:StartPipelineExecution")
    assert started.startswith("${aws_codepipeline.")
    (permission,) = [one for id_, one in stack.all("aws_lambda_permission").items() if "on_schedule" in id_]
    assert permission["source_arn"].startswith("${aws_cloudwatch_event_rule.")


def test_without_a_schedule_nothing_of_it_is_made(own: Synthesized) -> None:
    assert not [id_ for id_ in own.all("aws_lambda_function") if "start_newest" in id_]


def test_a_contract_is_uploaded_whole_and_only_it_may_be_read_there() -> None:
    contract = DataContract(columns=[Column(name="${a} %{b}")])
    stack = synth(dataset=Dataset(contract=contract))
    uploaded = stack.one("aws_s3_object", key=f"contracts/{stack.pipeline.name}/dataset.json")
    content = uploaded["content"].replace("$${", "${").replace("%%{", "%{")
    assert json.loads(content) == contract.to_json()
    assert settings(stack)["CONTRACT_KEY"].startswith("${aws_s3_object.")
    assert [one for one in reach(stack.policy("check-dataset"), "s3:GetObject") if "contracts" in one]


def test_without_a_contract_none_is_read(own: Synthesized) -> None:
    assert settings(own)["CONTRACT_KEY"] == ""
    assert not [one for one in reach(own.policy("check-dataset"), "s3:GetObject") if "contracts" in one]


@pytest.mark.parametrize("duplicates", ["skip", "refuse", "allow"])
def test_the_function_may_stop_executions_of_its_own_pipeline_alone(duplicates: Any) -> None:
    stack = synth(dataset=Dataset(duplicates=duplicates))
    assert settings(stack)["DUPLICATES"] == duplicates
    (stopped,) = reach(stack.policy("check-dataset"), "codepipeline:StopPipelineExecution")
    assert stopped.endswith(f":{stack.pipeline.name}")


def test_other_buckets_are_read_only_where_they_are_named(own: Synthesized) -> None:
    stack = synth(dataset=Dataset(input_buckets=["raw-data"]))
    assert settings(stack)["READABLE"].endswith(" s3://raw-data/")
    assert [one for one in reach(stack.policy("check-dataset"), "s3:GetObject") if one.endswith(":raw-data/*")]
    assert "raw-data" not in own.text


def test_limits_reach_the_function_in_bytes() -> None:
    stack = synth(dataset=Dataset(max_megabytes=7, max_inspected_megabytes=3))
    assert (settings(stack)["MAX_BYTES"], settings(stack)["MAX_INSPECTED_BYTES"]) == ("7000000", "3000000")


def test_user_parameters_stay_within_what_codepipeline_takes(own: Synthesized) -> None:
    for actions in own.stages().values():
        for action in actions:
            parameters = action["configuration"].get("UserParameters", "")
            longest = parameters.replace("#{Data.RequestUri}", "x" * 160).replace("#{Data.DatasetUri}", "x" * 130)
            longest = longest.replace("#{Dataset.VersionId}", "x" * 64).replace("#{Training.JobName}", "x" * 63)
            assert len(longest) < 900
