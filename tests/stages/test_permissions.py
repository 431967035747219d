"""One role per service, and nothing that any role should not have."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest
from synthesis import CONTAINER, Synthesized, document_of, new_stack, synth

from mlops_constructs import Algorithm, Dataset, Endpoint, MLOpsPipeline, SmokeTest

# Calls for which the service authorization reference knows no resource.
WITHOUT_RESOURCE = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudwatch:PutMetricData",
    "codepipeline:PutJobFailureResult",
    "codepipeline:PutJobSuccessResult",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModels",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
    "tag:GetResources",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth()


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def statements(stack: Synthesized) -> list[tuple[str, dict[str, Any]]]:
    return [
        (id_, statement)
        for id_, policy in stack.all("aws_iam_role_policy").items()
        for statement in json.loads(policy["policy"])["Statement"]
    ]


def test_each_role_is_trusted_by_exactly_one_service(stack: Synthesized) -> None:
    for role in stack.all("aws_iam_role").values():
        (statement,) = json.loads(role["assume_role_policy"])["Statement"]
        assert isinstance(statement["Principal"]["Service"], str)


def test_each_role_has_exactly_one_user(stack: Synthesized) -> None:
    functions = [function["role"] for function in stack.all("aws_lambda_function").values()]
    pipelines = [pipeline["role_arn"] for pipeline in stack.all("aws_codepipeline").values()]
    assert len(set(functions + pipelines)) == len(functions + pipelines)


def uses_of_keys(stack: Synthesized, *, artifacts: bool) -> list[tuple[str, dict[str, Any]]]:
    """Give the statements that let roles decrypt and encrypt; of the pipelines' roles, or of all the others."""
    return [
        (id_, one)
        for id_, one in statements(stack)
        if {"kms:Decrypt", "kms:GenerateDataKey"} & set(listed(one["Action"]))
        if artifacts is ("kms:ReEncryptTo" in one["Action"])
    ]


def test_the_key_is_used_only_through_a_service(stack: Synthesized) -> None:
    uses = uses_of_keys(stack, artifacts=False)
    assert len(uses) >= 20
    for id_, statement in uses:
        services = statement["Condition"]["StringEquals"]["kms:ViaService"]
        assert {service.partition(".")[0] for service in services} <= (
            {"sns", "lambda"} if "notify_people" in id_ else {"s3", "lambda"}
        ), id_
        assert all(service.endswith("}.amazonaws.com") for service in services), id_


def test_pipelines_use_the_key_as_their_documentation_says(stack: Synthesized) -> None:
    uses = uses_of_keys(stack, artifacts=True)
    assert len(uses) == 2
    assert all("Condition" not in statement for _, statement in uses)


def test_a_function_that_touches_no_object_uses_the_key_for_its_environment_alone(stack: Synthesized) -> None:
    for role, services in (
        ("stop-training", ["lambda"]),
        ("record-release", ["lambda", "s3"]),
        ("notify-people", ["lambda"]),
    ):
        (decrypting,) = [one for one in stack.policy(role) if one["Action"] == "kms:Decrypt"]
        via = decrypting["Condition"]["StringEquals"]["kms:ViaService"]
        assert [service.partition(".")[0] for service in via] == services


def test_only_a_smoke_test_that_compares_invokes_production(stack: Synthesized) -> None:
    def invoked(one: Synthesized, role: str) -> list[str]:
        found = [each for each in one.policy(role) if "sagemaker:InvokeEndpoint" in each["Action"]]
        return [str(each["Resource"]).rpartition("-")[2] for each in found]

    comparing = synth(dev=Endpoint(smoke_test=SmokeTest(confidence_level=0.95)))
    assert invoked(comparing, "smoke-test-dev") == ["dev", "production"]
    assert invoked(stack, "smoke-test-dev") == ["dev"]
    assert invoked(comparing, "smoke-test-production") == ["production"]
    variables = comparing.one("aws_lambda_function", function_name=f"{comparing.pipeline.name}-smoke-test-dev")
    assert variables["environment"]["variables"]["PRODUCTION_ENDPOINT"] == f"{comparing.pipeline.name}-production"


def test_smoke_tests_look_at_the_pipelines_own_models_alone(stack: Synthesized) -> None:
    for stage in ("dev", "production"):
        (look,) = [one for one in stack.policy(f"smoke-test-{stage}") if "sagemaker:DescribeModel" in one["Action"]]
        assert look["Condition"] == {"StringEquals": {"aws:ResourceTag/mlops:pipeline": stack.pipeline.name}}


def test_no_role_may_do_everything(stack: Synthesized) -> None:
    for id_, statement in statements(stack):
        for name in listed(statement["Action"]):
            assert "*" not in name, f"{id_}: {name}"


def test_a_star_resource_only_where_aws_knows_none(stack: Synthesized) -> None:
    for id_, statement in statements(stack):
        if "*" in listed(statement["Resource"]):
            assert set(listed(statement["Action"])) <= WITHOUT_RESOURCE, id_


def test_roles_are_handed_only_to_a_named_service(stack: Synthesized) -> None:
    grants = [(id_, one) for id_, one in statements(stack) if "iam:PassRole" in listed(one["Action"])]
    handed = {
        (id_.rpartition("_role_policy_")[0], role.group(1), *grant["Condition"]["StringEquals"].items())
        for id_, grant in grants
        if (role := re.fullmatch(r"\$\{aws_iam_role\.(\w+)_role_[0-9A-F]{8}\.arn\}", grant["Resource"]))
    }
    cloudformation, sagemaker = (
        ("iam:PassedToService", f"{name}.amazonaws.com") for name in ("cloudformation", "sagemaker")
    )
    assert len(grants) == len(handed)
    assert handed == {
        # It deletes a stack that never served.
        ("p_approval_record_decision", "p_deployment_production_deploy", cloudformation),
        # It deletes DEV after the decision.
        ("p_retirement_retire_dev", "p_deployment_dev_deploy", cloudformation),
        ("p_delivery", "p_deployment_dev_deploy", cloudformation),
        ("p_delivery", "p_deployment_production_deploy", cloudformation),
        ("p_deployment_dev_deploy", "p_deployment_dev_model", sagemaker),
        ("p_deployment_production_deploy", "p_deployment_production_model", sagemaker),
        ("p_training_train_model", "p_training", sagemaker),
    }
    assert all(set(grant["Condition"]) == {"StringEquals"} for _, grant in grants)


def test_no_literal_partition(stack: Synthesized) -> None:
    assert "arn:aws:" not in stack.text


def test_only_the_gate_and_the_records_change_a_package(stack: Synthesized) -> None:
    holders = {id_ for id_, statement in statements(stack) if "sagemaker:UpdateModelPackage" in statement["Action"]}
    assert len(holders) == 3


@pytest.mark.parametrize(
    ("role", "action", "statuses"),
    [
        ("register-model", "CreateModelPackage", "PendingManualApproval"),
        ("evaluate-model", "UpdateModelPackage", ["Rejected", "PendingManualApproval"]),
        ("record-decision", "UpdateModelPackage", ["Approved", "Rejected"]),
        ("record-release", "UpdateModelPackage", ["Approved"]),
    ],
)
def test_each_role_gives_a_package_its_own_statuses_only(
    stack: Synthesized, role: str, action: str, statuses: object
) -> None:
    (statement,) = [one for one in stack.policy(role) if f"sagemaker:{action}" in listed(one["Action"])]
    (operator, keys) = next(iter(statement["Condition"].items()))
    # Only the record of a release also adds properties without a decision.
    assert operator == ("StringEqualsIfExists" if role == "record-release" else "StringEquals")
    assert keys == {"sagemaker:ModelApprovalStatus": statuses}


def test_39_no_role_of_the_pipeline_may_answer_its_approval(stack: Synthesized) -> None:
    for id_, statement in statements(stack):
        for name in listed(statement["Action"]):
            assert not fnmatch.fnmatch("codepipeline:PutApprovalResult", name), id_


def test_who_is_granted_approval_may_answer_it() -> None:
    stack = new_stack()
    pipeline = MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    pipeline.grant_approve("leads", "ml-leads")
    policies = document_of(stack)["resource"]["aws_iam_role_policy"].values()
    (granted,) = [json.loads(policy["policy"])["Statement"] for policy in policies if policy["role"] == "ml-leads"]
    (answer,) = [one for one in granted if one["Action"] == "codepipeline:PutApprovalResult"]
    assert answer["Resource"].endswith(f":{pipeline.name}/Approve/Approve")


def test_every_function_is_traced_encrypted_and_has_a_dead_letter_queue(stack: Synthesized) -> None:
    for function in stack.all("aws_lambda_function").values():
        assert function["tracing_config"] == {"mode": "Active"}
        assert function["kms_key_arn"].startswith("${aws_kms_key.")
        assert function["dead_letter_config"]["target_arn"].startswith("${aws_sqs_queue.")
        assert function["runtime"] == "python3.12"


def test_every_log_group_is_encrypted_and_kept_for_a_year(stack: Synthesized) -> None:
    groups = stack.all("aws_cloudwatch_log_group")
    assert len(groups) == len(stack.all("aws_lambda_function")) + len(stack.all("aws_codebuild_project"))
    for group in groups.values():
        assert group["retention_in_days"] == 365
        assert group["kms_key_id"].startswith("${aws_kms_key.")


def test_who_is_granted_pausing_may_change_each_stack_with_its_own_role_alone() -> None:
    stack = new_stack()
    pipeline = MLOpsPipeline(stack, "p", algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    pipeline.grant_pause("operator", "night-watch")
    policies = document_of(stack)["resource"]["aws_iam_role_policy"].values()
    (granted,) = [json.loads(policy["policy"])["Statement"] for policy in policies if policy["role"] == "night-watch"]
    changes = [one for one in granted if "cloudformation:UpdateStack" in listed(one["Action"])]
    found = {
        one["Resource"].rpartition(":stack/")[2]: one["Condition"]["ArnEquals"]["cloudformation:RoleArn"]
        for one in changes
    }
    assert set(found) == {f"{pipeline.name}-dev/*", f"{pipeline.name}-production/*"}
    for stage in ("dev", "production"):
        assert f"deployment_{stage}_deploy_role" in found[f"{pipeline.name}-{stage}/*"]
    forbidden = ("CreateStack", "DeleteStack", "ExecuteChangeSet", "InvokeEndpoint", "PutApprovalResult")
    assert not [name for one in granted for name in listed(one["Action"]) if name.endswith(forbidden)]
