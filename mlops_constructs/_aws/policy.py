"""IAM policies as data: plain dicts, whose keys keep the order in which they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Statement = dict[str, Any]


def allow(
    actions: str | Sequence[str],
    resources: str | Sequence[str],
    *,
    when: Mapping[str, Mapping[str, object]] | None = None,
    principal: Mapping[str, object] | None = None,
) -> Statement:
    """Make an Allow statement.

    Args:
        actions: ``service:Action`` names.
        resources: ARNs. ``*`` only where the service authorization reference lists no resource for the action.
        when: Conditions: operator to condition key to value.
        principal: Principal of a statement in a resource policy.
    """
    return _statement("Allow", actions, resources, when, principal)


def deny(
    actions: str | Sequence[str],
    resources: str | Sequence[str],
    *,
    when: Mapping[str, Mapping[str, object]] | None = None,
    principal: Mapping[str, object] | None = None,
) -> Statement:
    """Make a Deny statement; the arguments are those of ``allow``."""
    return _statement("Deny", actions, resources, when, principal)


def pass_role(role_arn: str, service: str) -> Statement:
    """Allow passing exactly this role to exactly this service."""
    return allow("iam:PassRole", role_arn, when={"StringEquals": {"iam:PassedToService": service}})


def through(region: str, *services: str) -> dict[str, dict[str, object]]:
    """Return the condition that one of these services uses a KMS key for the role.

    The names end in ``amazonaws.com`` in all partitions.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    return {"StringEquals": {"kms:ViaService": [f"{service}.{region}.amazonaws.com" for service in services]}}


def report_result() -> list[Statement]:
    """Allow a function to report its result to CodePipeline; these actions take no resource, hence ``*``."""
    return [allow(["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], "*")]


def mark_package(packages_arn: str, statuses: Sequence[str], *, may_leave_it: bool = False) -> Statement:
    """Allow giving a model package one of these approval statuses.

    Args:
        packages_arn: Pattern of the ARNs of the packages.
        statuses: Such as ``Approved``.
        may_leave_it: Whether a package may also be updated without setting its status.
    """
    operator = "StringEqualsIfExists" if may_leave_it else "StringEquals"
    condition = {operator: {"sagemaker:ModelApprovalStatus": list(statuses)}}
    return allow("sagemaker:UpdateModelPackage", packages_arn, when=condition)


def alarms_publish(topic_arn: str, account_id: str) -> Statement:
    """Allow the CloudWatch alarms of an account to publish to a topic."""
    own = {"StringEquals": {"aws:SourceAccount": account_id}}
    return allow("sns:Publish", topic_arn, principal={"Service": "cloudwatch.amazonaws.com"}, when=own)


def pull_image(repository_arn: str) -> list[Statement]:
    """Allow SageMaker to pull the algorithm's image."""
    return [
        # The login token of ECR takes no resource, hence `*`.
        allow("ecr:GetAuthorizationToken", "*"),
        allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], repository_arn),
    ]


def document(statements: Sequence[Statement]) -> str:
    """Return the policy document as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(service: str, *, source_account: str | None = None) -> str:
    """Return the trust policy of a service role.

    Args:
        service: Such as ``sagemaker.amazonaws.com``.
        source_account: Account that the service must act for, which prevents the confused deputy problem; only for
            services that send ``aws:SourceAccount`` according to their documentation.
    """
    statement: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if source_account is not None:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": source_account}}
    return document([statement])


def _statement(
    effect: str,
    actions: str | Sequence[str],
    resources: str | Sequence[str],
    when: Mapping[str, Mapping[str, object]] | None,
    principal: Mapping[str, object] | None,
) -> Statement:
    statement: Statement = {"Effect": effect}
    if principal is not None:
        statement["Principal"] = dict(principal)
    statement["Action"] = actions if isinstance(actions, str) else list(actions)
    statement["Resource"] = resources if isinstance(resources, str) else list(resources)
    if when is not None:
        statement["Condition"] = {operator: dict(keys) for operator, keys in when.items()}
    return statement
