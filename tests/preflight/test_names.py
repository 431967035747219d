"""Names that something else has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from preflight import edge
from preflight.synthesized_stacks import IDENTITY, written

from mlops_constructs.preflight import TerraformState
from mlops_constructs.preflight.lookups import LOOKS, Look
from mlops_constructs.preflight.names import examine_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.doctor import Finding

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
CREATES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "aws_cloudwatch_log_group": ("name", "logs.create_log_group", {"logGroupName": "taken"}),
    "aws_ecr_repository": ("name", "ecr.create_repository", {"repositoryName": "taken"}),
    "aws_iam_role": ("name", "iam.create_role", {"RoleName": "taken", "AssumeRolePolicyDocument": TRUST}),
    "aws_s3_bucket": ("bucket", "s3.create_bucket", {"Bucket": "taken"}),
    "aws_codecommit_repository": ("repository_name", "codecommit.create_repository", {"repositoryName": "taken"}),
    "aws_sagemaker_model_package_group": (
        "model_package_group_name",
        "sagemaker.create_model_package_group",
        {"ModelPackageGroupName": "taken"},
    ),
    "aws_sqs_queue": ("name", "sqs.create_queue", {"QueueName": "taken"}),
    "aws_ssm_parameter": ("name", "ssm.put_parameter", {"Name": "taken", "Value": "v", "Type": "String"}),
}


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def examined(folder: Path, type_: str, name: str, backend: str = "local", client: Any = None) -> list[Finding]:
    made = {type_: {"x": {CREATES[type_][0]: name}}}
    path = {"path": str(folder / "none")}
    stack = written(folder, made, terraform={"backend": {backend: path if backend == "local" else {}}})
    return list(examine_names(client or boto3.client, stack, IDENTITY, TerraformState(stack)))


@pytest.mark.parametrize("type_", CREATES)
def test_a_free_name_is_good(tmp_path: Path, type_: str) -> None:
    assert [one.state for one in examined(tmp_path, type_, "free")] == ["good"]


@pytest.mark.parametrize("type_", CREATES)
def test_a_name_that_is_taken_is_broken_while_the_state_lacks_it(tmp_path: Path, type_: str) -> None:
    _, call, parameters = CREATES[type_]
    service, _, operation = call.partition(".")
    getattr(boto3.client(service), operation)(**parameters)
    (finding,) = examined(tmp_path, type_, "taken")
    assert (finding.state, finding.thing) == ("broken", "name taken")
    assert f"let `mlops adopt` import it to {type_}.x" in finding.remedy


def test_what_the_state_has_is_our_own(tmp_path: Path) -> None:
    boto3.client("sqs").create_queue(QueueName="taken")
    stack = written(tmp_path, {"aws_sqs_queue": {"x": {"name": "taken"}}})
    kept = [{"mode": "managed", "type": "aws_sqs_queue", "name": "x", "instances": [{}]}]
    (tmp_path / "state").write_text(json.dumps({"resources": kept}))
    state = TerraformState(stack, tmp_path / "state")
    assert [one.state for one in examine_names(boto3.client, stack, IDENTITY, state)] == ["good"]


def test_where_the_state_is_not_known_a_taken_name_may_be_our_own(tmp_path: Path) -> None:
    boto3.client("sqs").create_queue(QueueName="taken")
    (finding,) = examined(tmp_path, "aws_sqs_queue", "taken", backend="s3")
    assert (finding.state, "--state" in finding.remedy) == ("warning", True)


def test_a_bucket_of_another_account_is_broken_even_without_a_state(tmp_path: Path) -> None:
    session = edge.session()
    edge.on(session, "s3", lambda _: (403, ""))
    (finding,) = examined(tmp_path, "aws_s3_bucket", "theirs", backend="s3", client=session.client)
    assert (finding.state, "another AWS account" in finding.detail) == ("broken", True)


def test_a_name_that_may_not_be_looked_up_is_unknown(tmp_path: Path) -> None:
    session = edge.session()
    edge.on(session, "iam", edge.refused_in_xml("AccessDenied"))
    (finding,) = examined(tmp_path, "aws_iam_role", "secret", client=session.client)
    assert (finding.state, "Allow this identity iam:GetRole" in finding.remedy) == ("warning", True)


def test_names_that_aws_makes_up_are_not_looked_up(tmp_path: Path) -> None:
    stack = written(tmp_path, {"aws_s3_bucket": {"b": {"bucket_prefix": "p-"}}})
    (finding,) = examine_names(boto3.client, stack, IDENTITY, TerraformState(stack))
    assert finding.detail == "the 0 names that Terraform does not manage yet are free"


def with_stack(folder: Path, status: str, *, in_state: bool) -> list[Finding]:
    action = {"provider": "CloudFormation", "configuration": {"StackName": "p-production"}}
    pipeline = {"name": "p", "stage": [{"action": [action]}]}
    stack = written(folder, {"aws_codepipeline": {"x": pipeline}})
    kept = [{"mode": "managed", "type": "aws_codepipeline", "name": "x", "instances": [{}] if in_state else []}]
    (folder / "state").write_text(json.dumps({"resources": kept}))
    session = edge.session()
    member = f"<StackName>p-production</StackName><StackStatus>{status}</StackStatus>"
    result = f"<DescribeStacksResult><Stacks><member>{member}</member></Stacks></DescribeStacksResult>"
    edge.on(session, "cloudformation", lambda _: (200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>"))
    edge.on(session, "codepipeline", edge.refused("PipelineNotFoundException"))
    state = TerraformState(stack, folder / "state")
    return list(examine_names(session.client, stack, IDENTITY, state))


@pytest.mark.parametrize(
    ("status", "in_state", "expected"),
    [
        ("UPDATE_COMPLETE", True, "good"),
        ("UPDATE_COMPLETE", False, "broken"),
        ("ROLLBACK_COMPLETE", True, "broken"),
    ],
)
def test_the_stacks_of_the_endpoints_belong_to_the_pipeline(
    tmp_path: Path, status: str, in_state: bool, expected: str
) -> None:
    assert [one.state for one in with_stack(tmp_path, status, in_state=in_state)] == [expected]


def test_a_stack_that_never_served_has_to_be_deleted(tmp_path: Path) -> None:
    (finding,) = with_stack(tmp_path, "ROLLBACK_COMPLETE", in_state=True)
    assert finding.remedy.endswith("aws cloudformation delete-stack --stack-name p-production")


@pytest.mark.parametrize(("type_", "look"), LOOKS.items())
def test_every_look_fits_the_models_of_aws(type_: str, look: Look) -> None:
    client = edge.session().client(look.service)
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[look.operation])
    member = model.input_shape.members[look.parameter]
    assert (member.type_name == "list") == look.many
    assert not look.found or look.found in model.output_shape.members
    modelled = {
        code for error in model.error_shapes for code in (error.name, error.metadata.get("error", {}).get("code"))
    }
    if modelled - {None} and look.service not in ("s3", "sagemaker"):
        assert not look.missing or modelled & set(look.missing), type_
