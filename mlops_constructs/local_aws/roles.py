"""Acting under a role, as a service of AWS does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


def assume_as(
    account: Account, principal: str, role_arn: str, session: str, error_code: str = "ValidationException"
) -> dict[str, Any]:
    """Credentials of a role that trusts `principal`, such as sagemaker.amazonaws.com.

    Raises `AwsError` when the role does not exist or does not trust the service.
    """
    try:
        role = account.client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])["Role"]
        if trusts(role["AssumeRolePolicyDocument"], principal):
            return role_credentials(account, role_arn, session)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchEntity", "ValidationError"):
            raise
    raise AwsError(
        error_code,
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows "
        f"principal '{principal}' to assume the role.",
    )


def role_credentials(account: Account, role_arn: str, session_name: str) -> dict[str, Any]:
    """Temporary credentials of a role (AccessKeyId, SecretAccessKey, SessionToken), whomever it trusts."""
    account.client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[1])
    answer = account.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64].ljust(2, "-"))
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def trusts(document: str | Mapping[str, Any], principal: str) -> bool:
    """Whether a trust policy lets a service assume the role. Conditions are not looked at."""
    policy: Mapping[str, Any] = json.loads(unquote(document)) if isinstance(document, str) else document
    return any(
        statement["Effect"] == "Allow" and principal in _services(statement.get("Principal"))
        for statement in _as_list(policy["Statement"])
    )


def _services(principal: Any) -> list[str]:
    return _as_list(principal.get("Service", [])) if isinstance(principal, Mapping) else []


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
