"""Checks what CodeBuild itself does with the service role of a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.codebuild.shell import PhaseError
from mlops_constructs.local_aws.iam.service_roles import role_use_checks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codebuild.build import Build


def check_role(account: Account, build: Build, credentials: Mapping[str, Any]) -> None:
    """Check that the role may write the log and read the source; without these permissions no build starts.

    Raises:
        PhaseError: The role lacks one of the permissions.
    """
    group = account.arn("logs", f"log-group:{build.log_group}")
    checks = role_use_checks("CodeBuild", {"log_group_arn": group, "log_stream": build.log_stream})
    if build.source["type"] != "NO_SOURCE":
        source = account.arn("s3", source_path(build), region="", account_id="")
        checks += role_use_checks("CodeBuild source", {"source_arn": source})
    try:
        account.access.check_role(credentials, checks)
    except DeniedError as error:
        raise PhaseError(f"ACCESS_DENIED: Service role {build.project['serviceRole']}: {error}") from error


def source_path(build: Build) -> str:
    """Bucket and key of the source."""
    return re.sub(r"^arn:[^:]+:s3:::", "", build.source["location"])
