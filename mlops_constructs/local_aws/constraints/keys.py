"""KMS keys that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.constraints.rule import Problem, found

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

SOURCE = "https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest.html: the key must exist and be enabled"


def exists_at(path: str) -> Problem:
    """A check that the key at a path of members exists and is enabled."""

    def problem(params: Params, account: Account) -> str | None:
        key = found(params, path)
        return unusable(account, str(key)) if key else None

    return problem


def unusable(account: Account, key: str) -> str | None:
    """Why a key cannot be used; None when it can. AWS managed keys are created at their first use."""
    if key.rpartition(":")[2].startswith("alias/aws/"):
        return None
    try:
        described = account.moto("kms").describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        return f"The KMS key '{key}' does not exist."
    return None if described["KeyState"] == "Enabled" else f"The KMS key {key} is {described['KeyState']}."
