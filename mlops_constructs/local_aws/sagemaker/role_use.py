"""Checks what SageMaker itself does with the role of a job or a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.ecr.images import ImageUri
from mlops_constructs.local_aws.iam.service_roles import role_use_checks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.job_log import JobLog


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
