"""Statements that allow a role to use the pipeline's KMS key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .policy import Statement, allow

if TYPE_CHECKING:
    from collections.abc import Mapping

Conditions = dict[str, dict[str, object]]
# Condition keys that SageMaker has renamed.
_RENAMED = {
    "sagemaker:OutputKmsKey": "sagemaker:OutputKmsKeyArn",
    "sagemaker:VolumeKmsKey": "sagemaker:VolumeKmsKeyArn",
}


def use_key(key_arn: str) -> Statement:
    """Allow reading and writing objects and messages that are encrypted with the key."""
    return allow(["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], key_arn)


def use_key_for_artifacts(key_arn: str) -> Statement:
    """Allow what CodePipeline and CodeBuild need for encrypted artifacts, according to their documentation.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/S3-artifact-encryption.html
    """
    return allow(
        [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        key_arn,
    )


def use_key_for_volumes(key_arn: str) -> Statement:
    """Allow SageMaker to attach volumes that are encrypted with the key."""
    return allow("kms:CreateGrant", key_arn, when={"Bool": {"kms:GrantIsForAWSResource": "true"}})


def by_either_name(conditions: Mapping[str, Mapping[str, object]]) -> list[Conditions]:
    """Return the conditions twice: with SageMaker's deprecated condition keys for KMS keys, and with the current ones.

    The reference does not say from when on a request no longer contains the deprecated ones. A condition on a key that
    a request does not contain is false, so each name needs its own statement.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    former = {operator: dict(keys) for operator, keys in conditions.items()}
    now: Conditions = {
        operator: {_RENAMED.get(key, key): value for key, value in keys.items()} for operator, keys in former.items()
    }
    return [former, now]
