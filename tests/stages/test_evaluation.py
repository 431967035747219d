"""The evaluation program's job, the rules of the gate, and what outlives them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import Synthesized, synth

from mlops_constructs import Evaluation, EvaluationJob, Network, Threshold


@pytest.fixture(scope="module")
def plain() -> Synthesized:
    return synth()


@pytest.fixture(scope="module")
def evaluated() -> Synthesized:
    processing = EvaluationJob(
        entrypoint=["python", "/opt/ml/code/judge.py", "${x}"],
        instance_type="ml.c5.large",
        volume_size_in_gb=50,
        max_runtime_in_seconds=600,
        environment={"MODE": "strict"},
    )
    rules = [Threshold(metric="loss", max_value=0.4)]
    return synth(evaluation=Evaluation(metric="f1", min_value=0.9, job=processing, rules=rules))


def settings(stack: Synthesized, folder: str) -> dict[str, str]:
    function = stack.one("aws_lambda_function", handler=f"{folder}.handler.handler")
    variables: dict[str, str] = function["environment"]["variables"]
    return variables


def parameters(stack: Synthesized, stage: str, name: str) -> dict[str, str]:
    (action,) = [action for action in stack.stages()[stage] if action["name"] == name]
    read: dict[str, str] = json.loads(action["configuration"]["UserParameters"])
    return read


def test_the_program_runs_before_the_candidate_is_registered_and_judged(evaluated: Synthesized) -> None:
    actions = evaluated.stages()["Evaluate"]
    assert [(action["name"], action["run_order"]) for action in actions] == [
        ("RunEvaluation", 1),
        ("Register", 2),
        ("Gate", 3),
    ]
    assert parameters(evaluated, "Evaluate", "Register")["evaluation_uri"] == "#{Evaluated.EvaluationUri}"


def test_the_function_may_start_exactly_the_configured_job(evaluated: Synthesized) -> None:
    creation = [one for one in evaluated.policy("run-evaluation") if one["Action"] == "sagemaker:CreateProcessingJob"]
    assert len(creation) == 2
    for ending, statement in zip(("KmsKey", "KmsKeyArn"), creation, strict=True):
        asked = statement["Condition"]
        assert asked["NumericLessThanEquals"] == {"sagemaker:MaxRuntimeInSeconds": "600"}
        assert asked["Bool"] == {"sagemaker:NetworkIsolation": "true"}
        assert asked["ForAllValues:StringEquals"] == {"sagemaker:InstanceTypes": ["ml.c5.large"]}
        assert asked["Null"] == {"sagemaker:InstanceTypes": "false"}
        assert set(asked["ArnEquals"]) == {f"sagemaker:Output{ending}", f"sagemaker:Volume{ending}"}


def test_an_evaluation_is_made_in_the_network() -> None:
    network = Network(subnet_ids=["subnet-1"], security_group_ids=["sg-1"])
    stack = synth(evaluation=Evaluation(metric="f1", min_value=0.9, job=EvaluationJob()), network=network)
    for statement in stack.policy("run-evaluation"):
        if statement["Action"] == "sagemaker:CreateProcessingJob":
            lists = statement["Condition"]["ForAllValues:StringEquals"]
            assert (lists["sagemaker:VpcSubnets"], lists["sagemaker:VpcSecurityGroupIds"]) == (["subnet-1"], ["sg-1"])
            assert set(statement["Condition"]["Null"]) == set(lists)


def test_registration_lists_the_folders_of_models_and_reports_alone(plain: Synthesized, evaluated: Synthesized) -> None:
    for stack, folders in ((plain, ["models"]), (evaluated, ["models", "evaluations"])):
        (listing,) = [one for one in stack.policy("register-model") if one["Action"] == "s3:ListBucket"]
        prefixes = [f"{folder}/{stack.pipeline.name}/*" for folder in folders]
        assert listing["Condition"] == {"StringLike": {"s3:prefix": prefixes}}


def test_without_a_program_nothing_of_it_is_made(plain: Synthesized) -> None:
    assert [action["name"] for action in plain.stages()["Evaluate"]] == ["Register", "Gate"]
    assert parameters(plain, "Evaluate", "Register")["evaluation_uri"] == "none"
    assert "run_evaluation" not in plain.text
    assert "processing-job" not in plain.text


def test_the_job_is_as_configured(evaluated: Synthesized) -> None:
    assert settings(evaluated, "run_evaluation")["IMAGE"] == ""
    assert evaluated.function_document("run_evaluation") == {
        "channel": "test",
        "processing_job": {
            "AppSpecification": {"ContainerEntrypoint": ["python", "/opt/ml/code/judge.py", "${x}"]},
            "Environment": {"MODE": "strict"},
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.c5.large", "VolumeSizeInGB": 50}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "Tags": [],
        },
    }


def test_without_an_entry_point_the_image_is_run_with_the_argument_evaluate() -> None:
    stack = synth(evaluation=Evaluation(metric="f1", job=EvaluationJob()))
    job = stack.function_document("run_evaluation")["processing_job"]
    assert job["AppSpecification"] == {"ContainerArguments": ["evaluate"]}


def test_training_never_gets_the_held_out_records(plain: Synthesized, evaluated: Synthesized) -> None:
    assert evaluated.function_document("train_model")["held_out_channel"] == "test"
    assert plain.function_document("train_model")["held_out_channel"] is None


def test_a_stopped_execution_stops_its_evaluation_under_the_name_that_it_was_started_with(
    plain: Synthesized, evaluated: Synthesized
) -> None:
    prefix = settings(evaluated, "stop_training")["EVALUATION_PREFIX"]
    assert prefix == settings(evaluated, "run_evaluation")["JOB_PREFIX"] == evaluated.pipeline.name
    (stop,) = [one for one in evaluated.policy("stop-training") if "sagemaker:StopProcessingJob" in one["Action"]]
    assert stop["Action"] == ["sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"]
    assert stop["Resource"].endswith(f":processing-job/{prefix}-*")
    assert settings(plain, "stop_training")["EVALUATION_PREFIX"] == ""
    assert not [one for one in plain.policy("stop-training") if "sagemaker:StopProcessingJob" in one["Action"]]


def test_the_job_has_a_role_of_its_own_that_writes_nothing_but_its_report(evaluated: Synthesized) -> None:
    role = next(
        one for one in evaluated.all("aws_iam_role").values() if one["name"].split("-${")[0].endswith("-evaluation")
    )
    (trust,) = json.loads(role["assume_role_policy"])["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]
    written = [one["Resource"] for one in evaluated.policy("evaluation") if one["Action"] == "s3:PutObject"]
    assert [resource.rpartition("/evaluations/")[2] for resource in written] == [f"{evaluated.pipeline.name}/*"]


def test_another_image_may_be_pulled_from_where_it_is() -> None:
    own = "111122223333.dkr.ecr.us-east-1.amazonaws.com/judge@sha256:" + "0" * 64
    stack = synth(evaluation=Evaluation(metric="f1", job=EvaluationJob(image_uri=own)))
    assert settings(stack, "run_evaluation")["IMAGE"] == own
    pulls = [one["Resource"] for one in stack.policy("evaluation") if "ecr:BatchGetImage" in one["Action"]]
    assert [resource.endswith(":*:repository/*") for resource in pulls] == [True]


def rule(metric: str, objective_type: str, **bounds: float) -> dict[str, Any]:
    empty = {"min_value": None, "max_value": None, "beat_production_by": None}
    return {"metric": metric, **empty, **bounds, "confidence_level": 0.95, "objective_type": objective_type}


def test_the_gate_of_a_regression_compares_errors(evaluated: Synthesized) -> None:
    stack = synth(evaluation=Evaluation.for_regression(max_value=60.0))
    assert stack.function_document("evaluate_model")["rules"] == [
        rule("validation:rmse", "Minimize", max_value=60.0, beat_production_by=0.0),
        rule("validation:r2", "Maximize", min_value=0.0),
    ]


def test_the_gate_gets_every_rule(plain: Synthesized, evaluated: Synthesized) -> None:
    assert evaluated.function_document("evaluate_model")["rules"] == [
        rule("f1", "Maximize", min_value=0.9, beat_production_by=0.0),
        rule("loss", "Minimize", max_value=0.4),
    ]
    (only,) = plain.function_document("evaluate_model")["rules"]
    assert only["metric"] == "validation:accuracy"


def test_nothing_that_a_release_needs_expires(plain: Synthesized) -> None:
    rules = [rule for one in plain.all("aws_s3_bucket_lifecycle_configuration").values() for rule in one["rule"]]
    assert rules
    kept: dict[str, Any] = {"filter": [{"prefix": ""}], "status": "Enabled"}
    for rule in rules:
        if rule["filter"] == kept["filter"]:
            assert set(rule) - {"id", "filter", "status"} == {"abort_incomplete_multipart_upload"}


def test_no_gate_has_no_rules_and_is_said_at_synth(plain: Synthesized) -> None:
    bare = synth(evaluation=Evaluation.no_gate())
    assert bare.function_document("evaluate_model") == {"gate": False, "rules": []}
    warnings = [str(one.data) for one in bare.pipeline.evaluation.node.metadata if one.type == "@cdktf/warn"]
    assert [text.partition(":")[0] for text in warnings] == ["There is no evaluation gate"]
    assert plain.function_document("evaluate_model")["gate"] is True
    assert plain.pipeline.evaluation.node.metadata == []
