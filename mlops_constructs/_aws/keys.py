"""Statements that allow roles and services to use the pipeline's KMS key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .policy import Statement, allow, through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .account import Account
    from .stores import Stores


def key_statements(account: Account) -> list[Statement]:
    """Return the statements of the key's own policy."""
    in_account = {"StringEquals": {"aws:SourceAccount": account.account_id}}
    logs = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": account.arn("logs", "log-group:*")}}
    return [
        # Without it nobody could manage the key: this statement lets IAM policies allow access to it.
        allow("kms:*", "*", principal={"AWS": f"arn:{account.partition}:iam::{account.account_id}:root"}),
        allow(
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "*",
            principal={"Service": f"logs.{account.region}.amazonaws.com"},
            when=logs,
        ),
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            "*",
            # For the alarms, which publish to the topic that this key encrypts.
            principal={"Service": "cloudwatch.amazonaws.com"},
            when=in_account,
        ),
    ]


def use_key(stores: Stores) -> Statement:
    """Allow reading and writing objects that are encrypted with the key; SageMaker's roles use it only through S3.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSageMakerJobFullAccess.html
    """
    return allow(["kms:Decrypt", "kms:GenerateDataKey"], stores.key_arn, when=through(stores.region, "s3"))


def read_with_key(stores: Stores) -> Statement:
    """Allow reading objects that are encrypted with the key, through S3."""
    return allow("kms:Decrypt", stores.key_arn, when=through(stores.region, "s3"))


def use_key_for_function(stores: Stores, permissions: Sequence[Statement]) -> list[Statement]:
    """Allow what a function with these permissions needs: for its environment variables and the objects it may access.

    Lambda decrypts the variables with a grant to the role; the grant is lost when the role is replaced.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    """
    actions = " ".join(str(statement["Action"]) for statement in permissions)
    reads, writes = "s3:GetObject" in actions, "s3:PutObject" in actions
    # An existing queue may be encrypted with the same key.
    queue = ["sqs"] if stores.queue_is_existing else []
    # The parts of an upload are read again: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    decrypting = ["lambda", *(["s3"] if reads or writes else []), *queue]
    encrypting = [*(["s3"] if writes else []), *queue]
    return [
        allow("kms:Decrypt", stores.key_arn, when=through(stores.region, *decrypting)),
        *(
            [allow("kms:GenerateDataKey", stores.key_arn, when=through(stores.region, *encrypting))]
            if encrypting
            else []
        ),
    ]


def use_key_for_artifacts(key_arn: str) -> Statement:
    """Allow what CodePipeline needs for encrypted artifacts, according to its documentation.

    The documentation does not say that CodePipeline uses the key only through S3.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html
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


def use_key_for_volumes(key_arn: str) -> list[Statement]:
    """Allow SageMaker to attach volumes that are encrypted with the key.

    Which service a grant is created through is documented for the caller of SageMaker only, not for its roles.
    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-hyperpod-eks-autoscaling-iam.html
    """
    return [
        allow("kms:CreateGrant", key_arn, when={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        allow("kms:DescribeKey", key_arn),
    ]
