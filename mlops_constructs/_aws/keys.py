"""What a role may do with the pipeline's KMS key."""

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
    """Read and write objects and messages under the key."""
    return allow(["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], key_arn)


def use_key_for_artifacts(key_arn: str) -> Statement:
    """What CodePipeline and CodeBuild are documented to need for encrypted artifacts.

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
    """Let SageMaker attach volumes that are encrypted with the key."""
    return allow("kms:CreateGrant", key_arn, when={"Bool": {"kms:GrantIsForAWSResource": "true"}})


def by_either_name(conditions: Mapping[str, Mapping[str, object]]) -> list[Conditions]:
    """Give conditions twice: with SageMaker's former names of the keys for KMS keys, and with those of today.

    The reference calls the former deprecated, and does not say since when a request carries them no more. A condition
    on a key that a request does not carry is false, so each name needs a statement of its own.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    former = {operator: dict(keys) for operator, keys in conditions.items()}
    now: Conditions = {
        operator: {_RENAMED.get(key, key): value for key, value in keys.items()} for operator, keys in former.items()
    }
    return [former, now]
