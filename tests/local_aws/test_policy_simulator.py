"""SimulatePrincipalPolicy of the local AWS, by the policies that a role has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

QUEUE, OTHER = "arn:aws:sqs:us-east-1:123456789012:mine", "arn:aws:sqs:us-east-1:123456789012:other"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="module")
def role(aws: LocalAws) -> str:
    """A role with an inline policy, a managed one and a permissions boundary."""
    iam = aws.client("iam")
    boundary = policy({"Effect": "Allow", "Action": ["sqs:*", "iam:PassRole"], "Resource": "*"})
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=boundary)["Policy"]["Arn"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"})
    made = iam.create_role(RoleName="r", Path="/team/", AssumeRolePolicyDocument=trust, PermissionsBoundary=limit)
    passes = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    inline = policy(
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": passes},
    )
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=inline)
    denies = policy({"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"})
    managed = iam.create_policy(PolicyName="denies", PolicyDocument=denies)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    arn: str = made["Role"]["Arn"]
    return arn


def decision(aws: LocalAws, source: str, action: str, resource: str, **more: Any) -> str:
    answer = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=source, ActionNames=[action], ResourceArns=[resource], **more
    )
    (result,) = answer["EvaluationResults"]
    return str(result["EvalDecision"])


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("sqs:SendMessage", QUEUE, "allowed"),
        ("sqs:SendMessage", OTHER, "implicitDeny"),
        ("sqs:DeleteQueue", QUEUE, "explicitDeny"),
        ("s3:GetObject", "arn:aws:s3:::b/k", "implicitDeny"),
    ],
)
def test_a_role_is_judged_by_all_its_policies(
    aws: LocalAws, role: str, action: str, resource: str, expected: str
) -> None:
    assert decision(aws, role, action, resource) == expected


@pytest.mark.parametrize(("service", "expected"), [("lambda", "allowed"), ("ec2", "implicitDeny")])
def test_context_entries_decide_conditions(aws: LocalAws, role: str, service: str, expected: str) -> None:
    entry = {"ContextKeyName": "iam:PassedToService", "ContextKeyType": "string"}
    entries = [{**entry, "ContextKeyValues": [f"{service}.amazonaws.com"]}]
    assert decision(aws, role, "iam:PassRole", role, ContextEntries=entries) == expected


def test_the_administrator_may_do_everything(aws: LocalAws) -> None:
    caller = aws.client("sts").get_caller_identity()["Arn"]
    assert decision(aws, caller, "iam:CreateRole", "*") == "allowed"


def test_many_results_come_in_pages(aws: LocalAws, role: str) -> None:
    pages = (
        aws.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn=role,
            ActionNames=["sqs:SendMessage", "sqs:DeleteQueue"],
            ResourceArns=[QUEUE, OTHER],
            MaxItems=3,
        )
    )
    assert [len(page["EvaluationResults"]) for page in pages] == [3, 1]


def test_a_role_that_is_not_there_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        decision(aws, "arn:aws:iam::123456789012:role/nobody", "s3:GetObject", "*")


def test_what_is_not_simulated_is_refused(aws: LocalAws, role: str) -> None:
    with pytest.raises(ClientError, match="does not support PolicyInputList"):
        decision(aws, role, "s3:GetObject", "*", PolicyInputList=[policy()])
