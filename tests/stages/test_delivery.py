"""The ML pipeline: its stages, its trigger, its approval."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import Synthesized, synth

from mlops_constructs import Approval, Dataset


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth()


def action(stack: Synthesized, stage: str, name: str) -> dict[str, Any]:
    return next(action for action in stack.stages()[stage] if action["name"] == name)


def test_it_is_v2_and_queued(stack: Synthesized) -> None:
    for definition in stack.all("aws_codepipeline").values():
        assert (definition["pipeline_type"], definition["execution_mode"]) == ("V2", "QUEUED")


def test_the_stages_tell_the_story(stack: Synthesized) -> None:
    told = {stage: [action["name"] for action in actions] for stage, actions in stack.stages().items()}
    assert told == {
        "Source": ["Dataset", "Templates"],
        "Prepare": ["CheckDataset"],
        "Train": ["Train"],
        "Evaluate": ["Register", "Gate"],
        "DeployDev": ["Deploy", "SmokeTest"],
        "Approve": ["Approve"],
        "DeployProduction": ["RecordApproval", "PrepareChangeSet", "ExecuteChangeSet", "SmokeTest"],
    }


@pytest.mark.parametrize("stage", ["Evaluate", "DeployDev", "DeployProduction"])
def test_actions_of_a_stage_run_one_after_the_other(stack: Synthesized, stage: str) -> None:
    orders = [action["run_order"] for action in stack.stages()[stage]]
    assert orders == list(range(1, len(orders) + 1))


def test_no_source_is_polled(stack: Synthesized) -> None:
    for source in stack.stages()["Source"]:
        assert source["configuration"]["PollForSourceChanges"] == "false"


def test_only_the_data_set_may_be_another_object(stack: Synthesized) -> None:
    assert action(stack, "Source", "Dataset")["configuration"]["AllowOverrideForS3ObjectKey"] == "true"
    assert "AllowOverrideForS3ObjectKey" not in action(stack, "Source", "Templates")["configuration"]


def upload_rule(stack: Synthesized) -> tuple[dict[str, Any], dict[str, Any]]:
    for id_, rule in stack.all("aws_cloudwatch_event_rule").items():
        pattern = json.loads(rule["event_pattern"])
        if pattern["source"] == ["aws.s3"]:
            targets = stack.all("aws_cloudwatch_event_target").values()
            return pattern, next(target for target in targets if id_ in target["rule"])
    raise AssertionError("no rule for uploads")


def test_an_upload_under_the_prefix_starts_it() -> None:
    pattern, _ = upload_rule(synth(dataset=Dataset(prefix="incoming/")))
    assert pattern["detail"]["object"]["key"] == [{"prefix": "incoming/"}]


def test_empty_objects_start_nothing(stack: Synthesized) -> None:
    pattern, _ = upload_rule(stack)
    assert pattern["detail"]["object"]["size"] == [{"numeric": [">", 0]}]


def test_an_execution_gets_exactly_the_uploaded_version(stack: Synthesized) -> None:
    _, target = upload_rule(stack)
    transformer = target["input_transformer"]
    template = json.loads(transformer["input_template"])
    revisions = {revision["revisionType"]: revision["revisionValue"] for revision in template["sourceRevisions"]}
    assert revisions == {"S3_OBJECT_KEY": "<key>", "S3_OBJECT_VERSION_ID": "<version>"}
    assert {revision["actionName"] for revision in template["sourceRevisions"]} == {"Dataset"}
    assert transformer["input_paths"]["version"] == "$.detail.object.version-id"


def test_an_event_that_cannot_be_delivered_is_kept(stack: Synthesized) -> None:
    for target in stack.all("aws_cloudwatch_event_target").values():
        assert target["dead_letter_config"]["arn"].startswith("${aws_sqs_queue.")


def test_dev_may_be_replaced_and_production_never(stack: Synthesized) -> None:
    assert action(stack, "DeployDev", "Deploy")["configuration"]["ActionMode"] == "REPLACE_ON_FAILURE"
    modes = [
        action["configuration"]["ActionMode"]
        for action in stack.stages()["DeployProduction"]
        if action["provider"] == "CloudFormation"
    ]
    assert modes == ["CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE"]


def test_the_approval_asks_with_evidence_within_the_limit(stack: Synthesized) -> None:
    approval = action(stack, "Approve", "Approve")
    evidence = approval["configuration"]["CustomData"]
    for variable in ("Candidate.Metrics", "Gate.Verdict", "Dev.Summary", "Dataset.VersionId", "Training.Image"):
        assert f"#{{{variable}}}" in evidence
    assert len(evidence) <= 1000
    assert approval["timeout_in_minutes"] == 24 * 60


def test_people_are_told_by_mail() -> None:
    stack = synth(approval=Approval(emails=["a@example.org", "b@example.org"], timeout_minutes=60))
    addresses = [subscription["endpoint"] for subscription in stack.all("aws_sns_topic_subscription").values()]
    assert addresses == ["a@example.org", "b@example.org"]
    assert action(stack, "Approve", "Approve")["timeout_in_minutes"] == 60


def test_nobody_is_told_by_default(stack: Synthesized) -> None:
    assert stack.all("aws_sns_topic_subscription") == {}


def test_a_rejection_reaches_the_function_that_records_it(stack: Synthesized) -> None:
    patterns = [json.loads(rule["event_pattern"]) for rule in stack.all("aws_cloudwatch_event_rule").values()]
    (rejection,) = [
        pattern for pattern in patterns if pattern["detail-type"] == ["CodePipeline Action Execution State Change"]
    ]
    assert rejection["detail"] == {
        "pipeline": [stack.pipeline.name],
        "stage": ["Approve"],
        "action": ["Approve"],
        "state": ["FAILED"],
    }
    permission = stack.one("aws_lambda_permission", function_name=stack.pipeline.approval.record_decision.name)
    assert permission["principal"] == "events.amazonaws.com"
    assert "source_arn" in permission


def test_configuration_values_fit_codepipeline(stack: Synthesized) -> None:
    for definition in stack.all("aws_codepipeline").values():
        for stage in definition["stage"]:
            for action_ in stage["action"]:
                for key, value in action_["configuration"].items():
                    assert len(key) <= 50
                    assert len(value) <= 1000
