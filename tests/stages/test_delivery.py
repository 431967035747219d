"""The ML pipeline: its stages, its trigger, its approval."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import Synthesized, synth

from mlops_constructs import Approval, Autoscaling, Cost, Dataset, Endpoint


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
        "DeployDev": ["AwaitDev", "Deploy", "SmokeTest"],
        "Approve": ["Evidence", "Approve"],
        "DeployProduction": ["RecordApproval", "PrepareChangeSet", "ExecuteChangeSet", "SmokeTest", "RecordRelease"],
    }


@pytest.mark.parametrize("stage", ["Evaluate", "DeployDev", "Approve", "DeployProduction"])
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
        pattern = json.loads(rule.get("event_pattern", "{}"))
        if pattern.get("source") == ["aws.s3"]:
            targets = stack.all("aws_cloudwatch_event_target").values()
            return pattern, next(target for target in targets if id_ in target["rule"])
    raise AssertionError("no rule for uploads")


def test_an_upload_under_the_prefix_starts_it() -> None:
    pattern, _ = upload_rule(synth(dataset=Dataset(prefix="incoming/")))
    assert pattern["detail"]["object"]["key"] == [{"prefix": "incoming/"}]


def test_03_empty_objects_start_nothing(stack: Synthesized) -> None:
    pattern, _ = upload_rule(stack)
    assert pattern["detail"]["object"]["size"] == [{"numeric": [">", 0]}]


def test_02_an_execution_gets_exactly_the_uploaded_version(stack: Synthesized) -> None:
    _, target = upload_rule(stack)
    transformer = target["input_transformer"]
    template = json.loads(transformer["input_template"])
    revisions = {revision["revisionType"]: revision["revisionValue"] for revision in template["sourceRevisions"]}
    assert revisions == {"S3_OBJECT_KEY": "<key>", "S3_OBJECT_VERSION_ID": "<version>"}
    assert {revision["actionName"] for revision in template["sourceRevisions"]} == {"Dataset"}
    assert transformer["input_paths"]["version"] == "$.detail.object.version-id"


def test_04_an_event_that_cannot_be_delivered_is_kept(stack: Synthesized) -> None:
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


def test_the_approval_asks_with_evidence_that_an_action_has_gathered(stack: Synthesized) -> None:
    approval = action(stack, "Approve", "Approve")
    assert approval["configuration"]["CustomData"] == "#{Evidence.Message}"
    assert approval["configuration"]["ExternalEntityLink"] == "#{Evidence.Link}"
    assert action(stack, "Approve", "Evidence")["namespace"] == "Evidence"
    assert approval["timeout_in_minutes"] == 24 * 60


def evidence_settings(stack: Synthesized) -> dict[str, str]:
    handler = "gather_evidence.handler.handler"
    variables: dict[str, str] = stack.one("aws_lambda_function", handler=handler)["environment"]["variables"]
    return variables


def test_the_approver_reads_what_production_will_cost() -> None:
    production = Endpoint(
        instance_type="ml.c5.large",
        initial_instance_count=2,
        autoscaling=Autoscaling(min_capacity=2, max_capacity=5),
        hourly_price_usd=0.102,
    )
    stack = synth(production=production, cost=Cost(max_monthly_usd=500))
    assert evidence_settings(stack)["PRODUCTION_FLEET"] == "2 to 5 x ml.c5.large"
    document = stack.function_document("gather_evidence")
    assert document["hourly_prices_usd"] == {"dev": {"ml.m5.large": 0.115}, "production": {"ml.c5.large": 0.102}}
    assert document["dev_parameters"]["InitialInstanceCount"] == "1"
    assert document["max_monthly_usd"] == 500


def test_a_price_that_nobody_knows_is_left_out() -> None:
    stack = synth(production=Endpoint(instance_type="ml.c5.large"))
    assert evidence_settings(stack)["PRODUCTION_FLEET"] == "1 x ml.c5.large"
    document = stack.function_document("gather_evidence")
    assert document["hourly_prices_usd"]["production"] == document["price_sources"] == {}


def test_a_topic_that_is_handed_in_is_used_and_left_alone() -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:ml-approvals"
    stack = synth(approval=Approval(topic_arn=topic))
    assert stack.all("aws_sns_topic") == {}
    assert action(stack, "Approve", "Approve")["configuration"]["NotificationArn"] == topic
    published = [one for one in stack.policy(f"{stack.pipeline.name}-pipeline") if one["Action"] == "sns:Publish"]
    assert [one["Resource"] for one in published] == [topic]


def test_without_one_a_topic_is_made(stack: Synthesized) -> None:
    assert len(stack.all("aws_sns_topic")) == 1


def test_people_are_told_by_mail() -> None:
    stack = synth(approval=Approval(emails=["a@example.org", "b@example.org"], timeout_in_minutes=60))
    addresses = [subscription["endpoint"] for subscription in stack.all("aws_sns_topic_subscription").values()]
    assert sorted(addresses) == ["a@example.org", "b@example.org"]
    assert action(stack, "Approve", "Approve")["timeout_in_minutes"] == 60


def test_a_person_who_stays_need_not_confirm_again() -> None:
    both, one = (
        synth(approval=Approval(emails=emails)) for emails in (["a@example.org", "b@example.org"], ["b@example.org"])
    )
    kept = both.all("aws_sns_topic_subscription").keys() & one.all("aws_sns_topic_subscription").keys()
    assert [one.all("aws_sns_topic_subscription")[id_]["endpoint"] for id_ in kept] == ["b@example.org"]


def test_nobody_is_told_by_default(stack: Synthesized) -> None:
    assert stack.all("aws_sns_topic_subscription") == {}


def test_every_early_end_reaches_the_function_that_records_it(stack: Synthesized) -> None:
    patterns = [json.loads(rule.get("event_pattern", "{}")) for rule in stack.all("aws_cloudwatch_event_rule").values()]
    assert {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Pipeline Execution State Change"],
        "detail": {"pipeline": [stack.pipeline.name], "state": ["FAILED", "STOPPED"]},
    } in patterns
    for permission in stack.all("aws_lambda_permission").values():
        assert permission["principal"] == "events.amazonaws.com"
        assert "source_arn" in permission


def test_an_execution_can_be_started_on_a_release(stack: Synthesized) -> None:
    (variable,) = stack.one("aws_codepipeline", name=stack.pipeline.name)["variable"]
    assert (variable["name"], variable["default_value"]) == ("Release", "none")
    for stage, name in (("Prepare", "CheckDataset"), ("Train", "Train"), ("Evaluate", "Register")):
        parameters = json.loads(action(stack, stage, name)["configuration"]["UserParameters"])
        assert parameters["release"] == "#{variables.Release}"


def test_configuration_values_fit_codepipeline(stack: Synthesized) -> None:
    for definition in stack.all("aws_codepipeline").values():
        for stage in definition["stage"]:
            for action_ in stage["action"]:
                for key, value in action_["configuration"].items():
                    assert len(key) <= 50
                    assert len(value) <= 1000
                    # It takes 1 KB only; parameters come in a file.
                    assert key != "ParameterOverrides"
