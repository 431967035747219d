"""Checks what SageMaker itself does with the role of a job or a model."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.ecr.images import ImageUri
from mlops_constructs.local_aws.iam.service_roles import role_use_checks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.iam.calls import Check
    from mlops_constructs.local_aws.job_log import JobLog
    from mlops_constructs.local_aws.service import Params


def check_role(account: Account, use: str, image_uri: str, log: JobLog, credentials: Mapping[str, Any]) -> None:
    """Check a role against AWS's list of permissions for a use; missing ones for logs and metrics are only logged.

    Raises:
        ContainerError: The role may not pull the image.
    """
    image = ImageUri.parse(image_uri)
    names = {
        "repository_arn": account.arn("ecr", f"repository/{image.repository}", account_id=image.account),
        "log_group_arn": account.arn("logs", f"log-group:{log.group}"),
        "log_stream": log.stream,
    }
    for check in role_use_checks(use, names):
        try:
            account.access.check_role(credentials, [check])
        except DeniedError as error:
            if check.action.startswith("ecr:"):
                raise ContainerError(f"cannot pull {image_uri}: {error}") from error


def check_resources(account: Account, credentials: Mapping[str, Any], network: Params | None, key: str | None) -> None:
    """Check a role against AWS's lists of permissions for a VPC and for a volume that a customer managed key encrypts.

    Args:
        account: The account.
        credentials: Credentials of the role.
        network: The `VpcConfig` of a job or model.
        key: The key of the volume, as a request names it.

    Raises:
        ContainerError: The role lacks one of the permissions.
    """
    checks: list[Check] = []
    for subnet, group in itertools.product(*_members(network)):
        names = {
            "network_interface_arn": account.arn("ec2", "network-interface/*"),
            "subnet_arn": account.arn("ec2", f"subnet/{subnet}"),
            "security_group_arn": account.arn("ec2", f"security-group/{group}"),
        }
        checks += role_use_checks("SageMaker VPC", names)
    if key:
        arn = key if key.startswith("arn:") else account.arn("kms", f"key/{key}")
        checks += role_use_checks("SageMaker volume", {"key_arn": arn})
    try:
        account.access.check_role(credentials, dict.fromkeys(checks))
    except DeniedError as error:
        raise ContainerError(f"cannot start an instance: {error}") from error


def _members(network: Params | None) -> tuple[list[str], list[str]]:
    return (network or {}).get("Subnets", []), (network or {}).get("SecurityGroupIds", [])
