"""The rights of the deploying identity: the table is whole, and the simulation is read rightly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from preflight import edge
from preflight.synthesized_stacks import IDENTITY, real, written

from mlops_constructs.preflight.arns import arn_for
from mlops_constructs.preflight.permissions import examine_permissions, needed_actions, terraform_actions

if TYPE_CHECKING:
    from mlops_constructs.doctor import Finding

USER = "arn:aws:iam::123456789012:user/me"
# Recorded from Terraform's AWS provider 5.100: apply, second plan and destroy of main.py, examples/configured and
# examples/company on the local AWS, by TF_LOG_PROVIDER=DEBUG.
RECORDED = json.loads(Path(__file__).with_name("terraform_calls.json").read_text())
# Where IAM has another name for a call than the API.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}


@pytest.mark.parametrize("type_", RECORDED)
def test_the_table_has_every_call_that_terraform_made(type_: str) -> None:
    row = terraform_actions()[type_]
    known = {action for group, actions in row.items() if group != "passes_role_to" for action in actions}
    assert {ACTIONS.get(call, call) for call in RECORDED[type_]} <= known


def test_tags_and_keys_need_rights_of_their_own(tmp_path: Path) -> None:
    made = {"aws_ecr_repository": {"plain": {"name": "a"}, "tagged": {"name": "b", "tags": {"team": "x"}}}}
    plain, tagged = written(tmp_path, made).of_type("aws_ecr_repository")
    assert "ecr:TagResource" in needed_actions(tagged)
    assert "ecr:TagResource" not in needed_actions(plain)
    assert "ecr:TagResource" in needed_actions(plain, default_tags=True)


@pytest.mark.parametrize(
    ("type_", "action", "arn"),
    [
        ("aws_s3_object", "s3:PutObject", "arn:aws:s3:::iris-"),
        ("aws_s3_bucket", "s3:CreateBucket", "arn:aws:s3:::iris-"),
        ("aws_iam_role", "iam:CreateRole", "arn:aws:iam::123456789012:role/iris-"),
        ("aws_ecr_repository", "ecr:CreateRepository", "arn:aws:ecr:us-east-1:123456789012:repository/iris-"),
        ("aws_lambda_function", "kms:CreateGrant", "arn:aws:kms:us-east-1:123456789012:key/"),
        ("aws_cloudwatch_event_target", "events:PutTargets", "arn:aws:events:us-east-1:123456789012:rule/iris-"),
    ],
)
def test_an_action_is_simulated_on_the_arn_that_it_will_have(type_: str, action: str, arn: str) -> None:
    stack = real()
    found = arn_for(action, stack.of_type(type_)[0], stack, IDENTITY)
    assert found.startswith(arn)
    assert "${" not in found


def simulate(denied: dict[str, str], caller: str = USER, answer: str = "") -> list[Finding]:
    """Simulate on an IAM that denies these actions, each with what stands beside the decision."""
    session = edge.session()

    def simulated(body: str) -> edge.Answer:
        actions = [value[0] for key, value in parse_qs(body).items() if key.startswith("ActionNames.member")]
        results = "".join(f"<member>{_result(action, denied)}</member>" for action in actions)
        result = f"<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>"
        wrapped = f"<SimulatePrincipalPolicyResult>{result}</SimulatePrincipalPolicyResult>"
        return 200, f"<SimulatePrincipalPolicyResponse>{wrapped}</SimulatePrincipalPolicyResponse>"

    edge.on(session, "iam.SimulatePrincipalPolicy", simulated)
    if answer:
        edge.on(session, "iam.GetRole", lambda _: (200, answer))
    return list(examine_permissions(session.client("iam"), caller, real(), IDENTITY))


def _result(action: str, denied: dict[str, str]) -> str:
    decision = denied.get(action, "<EvalDecision>allowed</EvalDecision>")
    return f"<EvalActionName>{action}</EvalActionName>{decision}"


IMPLICIT = "<EvalDecision>implicitDeny</EvalDecision>"


def test_who_may_everything_gets_one_good_finding() -> None:
    (finding,) = simulate({})
    assert (finding.state, USER in finding.detail) == ("good", True)


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (IMPLICIT, "kms:CreateKey"),
        ("<EvalDecision>explicitDeny</EvalDecision>", "kms:CreateKey (by an explicit deny)"),
        (
            f"{IMPLICIT}<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>"
            "</OrganizationsDecisionDetail>",
            "kms:CreateKey (by the organization's policies)",
        ),
        (
            f"{IMPLICIT}<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false"
            "</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>",
            "kms:CreateKey (by the permissions boundary)",
        ),
        (
            f"{IMPLICIT}<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>",
            "kms:CreateKey (unless the condition on aws:SourceIp holds)",
        ),
    ],
)
def test_a_missing_right_is_named_with_what_stands_against_it(decision: str, why: str) -> None:
    (finding,) = simulate({"kms:CreateKey": decision})
    assert (finding.thing, finding.state) == ("permissions for aws_kms_key", "broken")
    assert finding.detail == f"denied: {why}"
    assert USER in finding.remedy


def test_handing_roles_to_services_is_simulated_too() -> None:
    things = {one.thing for one in simulate({"iam:PassRole": IMPLICIT})}
    assert {"permissions for aws_lambda_function", "permissions for aws_codepipeline"} <= things


def test_the_path_of_an_assumed_role_is_looked_up() -> None:
    arn = "arn:aws:iam::123456789012:role/aws-reserved/sso/deployer"
    date = "<CreateDate>2026-01-01T00:00:00Z</CreateDate>"
    role = f"<Path>/aws-reserved/sso/</Path><RoleName>deployer</RoleName><RoleId>R</RoleId><Arn>{arn}</Arn>{date}"
    answer = f"<GetRoleResponse><GetRoleResult><Role>{role}</Role></GetRoleResult></GetRoleResponse>"
    (finding,) = simulate({}, "arn:aws:sts::123456789012:assumed-role/deployer/me", answer)
    assert arn in finding.detail


def test_the_root_user_is_not_simulated() -> None:
    (finding,) = simulate({"kms:CreateKey": IMPLICIT}, "arn:aws:iam::123456789012:root")
    assert finding.state == "good"


def test_a_federated_user_cannot_be_simulated() -> None:
    (finding,) = simulate({}, "arn:aws:sts::123456789012:federated-user/me")
    assert finding.state == "warning"


def test_who_may_not_simulate_is_told_so() -> None:
    session = edge.session()
    edge.on(session, "iam", edge.refused_in_xml("AccessDenied"))
    (finding,) = examine_permissions(session.client("iam"), USER, real(), IDENTITY)
    assert (finding.state, "iam:SimulatePrincipalPolicy" in finding.remedy) == ("warning", True)


def test_a_type_without_a_row_is_told(tmp_path: Path) -> None:
    stack = written(tmp_path, {"aws_glue_job": {"j": {}}})
    findings = list(examine_permissions(edge.session().client("iam"), USER, stack, IDENTITY))
    assert ("warning", True) in [(one.state, "aws_glue_job" in one.detail) for one in findings]
