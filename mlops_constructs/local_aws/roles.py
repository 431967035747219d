"""Assumes roles, as the services of AWS do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


RULE_SESSION = "rule-"
"""Prefix of the session name with which EventBridge calls a target; the rule's name follows."""


def assume_as(
    account: Account,
    principal: str,
    role_arn: str,
    session: str,
    error_code: str = "ValidationException",
    *,
    source_arn: str = "",
) -> dict[str, Any]:
    """Credentials of a role that trusts `principal`, such as sagemaker.amazonaws.com.

    `source_arn` is the resource for which the service acts; a trust policy may have a condition on it.
    Raises `AwsError` when the role does not exist or does not trust the service.
    """
    if account.access.may_assume(principal, role_arn, source_arn):
        return role_credentials(account, role_arn, session)
    raise AwsError(
        error_code,
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows "
        f"principal '{principal}' to assume the role.",
    )


def role_credentials(account: Account, role_arn: str, session_name: str) -> dict[str, Any]:
    """Temporary credentials of a role (AccessKeyId, SecretAccessKey, SessionToken); its trust policy is not checked."""
    account.client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[1])
    answer = account.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64].ljust(2, "-"))
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials
