"""What follows an alarm: the function, what it may do, and who invokes it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from retrain.alarm import REASONS
from retrain.settings import Document
from synthesis import Synthesized, synth

from mlops_constructs import Approval, Dataset, Monitoring, Retraining
from mlops_constructs.config import retraining as config
from mlops_constructs.stages import retraining as stage

MONITORING = Monitoring(retraining=Retraining())
GATHERING = Dataset(start_on_upload=False, prefix="sets/", suffix=".csv")


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth(monitoring=MONITORING, dataset=GATHERING)


def rules(stack: Synthesized) -> dict[str, dict[str, Any]]:
    found = stack.all("aws_cloudwatch_event_rule").items()
    return {one["name"].removeprefix(f"{stack.pipeline.name}-"): one for id_, one in found if "retraining_" in id_}


def settings(stack: Synthesized, purpose: str) -> dict[str, str]:
    function = stack.one("aws_lambda_function", function_name=f"{stack.pipeline.name}-{purpose}")
    variables: dict[str, str] = function["environment"]["variables"]
    return variables


def actions(one: dict[str, Any]) -> list[str]:
    return [one["Action"]] if isinstance(one["Action"], str) else one["Action"]


def reach(stack: Synthesized, purpose: str, action: str) -> list[str]:
    """Every resource that an action is allowed on."""
    found = (one["Resource"] for one in stack.policy(purpose) if action in actions(one))
    return [name for one in found for name in ([one] if isinstance(one, str) else one)]


@pytest.mark.parametrize("monitoring", [None, Monitoring()])
def test_only_a_pipeline_with_retraining_has_the_function(monitoring: Monitoring | None) -> None:
    plain = synth(monitoring=monitoring)
    assert plain.pipeline.retraining is None
    assert not [one for one in plain.all("aws_lambda_function").values() if one["function_name"].endswith("-retrain")]
    assert settings(plain, "gather-evidence")["RETRAINING"] == ""


def test_the_watch_invokes_exactly_this_function(stack: Synthesized) -> None:
    assert stack.pipeline.retraining is not None
    assert settings(stack, "watch-traffic")["RETRAIN_FUNCTION"] == stack.pipeline.retraining.retrain.name
    (target,) = reach(stack, "watch-traffic", "lambda:InvokeFunction")
    assert target.startswith("${aws_lambda_function.p_retraining_retrain_function")


def test_it_is_invoked_every_hour_and_by_uploads_that_start_nothing(stack: Synthesized) -> None:
    found = rules(stack)
    assert found.keys() == {"retrain-schedule", "on-new-data"}
    assert found["retrain-schedule"]["schedule_expression"] == "rate(1 hour)"
    key = json.loads(found["on-new-data"]["event_pattern"])["detail"]["object"]["key"]
    assert key == [{"wildcard": "sets/*.csv"}]


def test_uploads_that_start_executions_do_not_invoke_it() -> None:
    assert rules(synth(monitoring=MONITORING)).keys() == {"retrain-schedule"}


def test_its_document_is_what_it_reads(stack: Synthesized) -> None:
    given = stage._document(Retraining(on_estimated_quality=True), GATHERING, "Dataset", ab_test=True)
    document = Document(**json.loads(json.dumps(given)))
    assert document.reasons == list(REASONS) == list(config._REASONS)
    assert (document.prefix, document.suffix, document.start_on_upload, document.ab_test) == (
        "sets/",
        ".csv",
        False,
        True,
    )
    assert document.cooldown == 24 * 3600
    action = stack.one("aws_codepipeline", name=stack.pipeline.name)["stage"][0]["action"][0]
    assert action["name"] == document.action


def test_it_may_start_exactly_this_pipeline_and_write_only_its_own_records(stack: Synthesized) -> None:
    name = stack.pipeline.name
    (started,) = reach(stack, "-retrain", "codepipeline:StartPipelineExecution")
    assert started.endswith(f":{name}")
    written = {one.partition("/")[2] for one in reach(stack, "-retrain", "s3:PutObject")}
    assert written == {f"retraining/{name}/{one}" for one in ("state.json", "executions/*", "decisions/*")}
    allowed = {action for one in stack.policy("-retrain") for action in actions(one)}
    assert not allowed & {"s3:DeleteObject", "s3:GetObjectVersion", "codepipeline:PutApprovalResult"}


def test_it_lists_only_the_folder_of_the_data_sets(stack: Synthesized) -> None:
    (listed,) = (one for one in stack.policy("-retrain") if one["Action"] == "s3:ListBucketVersions")
    assert listed["Condition"] == {"StringLike": {"s3:prefix": ["sets/*"]}}


@pytest.mark.parametrize(("topic", "ours"), [(None, True), ("arn:aws:sns:us-east-1:123456789012:people", False)])
def test_the_key_is_used_for_the_pipelines_own_topic(topic: str | None, ours: bool) -> None:
    made = synth(monitoring=MONITORING, approval=Approval(topic_arn=topic))
    assert any("sns." in json.dumps(one.get("Condition", {})) for one in made.policy("-retrain")) == ours


@pytest.mark.parametrize(("monitoring", "reads"), [(MONITORING, True), (Monitoring(), False)])
def test_the_evidence_may_read_why(monitoring: Monitoring, reads: bool) -> None:
    made = synth(monitoring=monitoring)
    read = reach(made, "gather-evidence", "s3:GetObject")
    assert any(one.endswith(f"/retraining/{made.pipeline.name}/executions/*") for one in read) == reads
