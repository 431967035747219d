"""What a role may do with the pipeline's KMS key."""

from __future__ import annotations

from .policy import Statement, allow


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
