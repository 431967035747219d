"""The storage of data sets and artifacts: buckets, KMS key, dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.keys import key_statements
from .._aws.naming import dead_letters_name
from .._aws.policy import allow, deny, document
from .._aws.stores import Stores
from ..provider import (
    kms_alias,
    kms_key,
    s3_bucket,
    s3_bucket_lifecycle_configuration,
    s3_bucket_notification,
    s3_bucket_ownership_controls,
    s3_bucket_policy,
    s3_bucket_public_access_block,
    s3_bucket_server_side_encryption_configuration,
    s3_bucket_versioning,
    sqs_queue,
)

if TYPE_CHECKING:
    from .._aws.account import Account
    from ..config import Dataset, Existing

_ANYONE = {"AWS": "*"}


class StorageStage(Construct):
    """Two buckets under one customer managed key, and a dead-letter queue.

    Attributes:
        key: KMS key that encrypts everything at rest, or None when an existing key is used.
        key_policy: Policy of the key; an existing key must allow the same.
        data_bucket: Bucket that data sets are uploaded to; it sends an event to EventBridge for each new object. None
            when an existing bucket is used.
        artifact_bucket: Bucket of pipeline artifacts, pinned data sets, models and captured requests, or None when an
            existing bucket is used.
        dead_letters: Queue of events and invocations that could not be delivered, or None when an existing queue is
            used.
        stores: The same as plain values.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        name: str,
        retain: bool,
        existing: Existing,
        dataset: Dataset,
    ) -> None:
        """Make what does not exist already.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            account: Where it is deployed.
            name: What the names of the resources start with.
            retain: Whether data is kept when the stack is destroyed.
            existing: Existing resources to use.
            dataset: The data sets that are uploaded to the data bucket.
        """
        super().__init__(scope, id_)
        self._account, self._name, self._retain = account, name, retain
        self.key_policy = document(key_statements(account))
        self.key: kms_key.KmsKey | None = None
        key_arn = existing.kms_key_arn
        if key_arn is None:
            self.key = self._key()
            key_arn = str(self.key.arn)
        self.data_bucket: s3_bucket.S3Bucket | None = None
        data = dataset.bucket_name
        if data is None:
            self.data_bucket, data_ready = self._bucket("data", key_arn)
            data = str(data_ready.bucket)
        if self.data_bucket is not None or dataset.manage_notifications:
            s3_bucket_notification.S3BucketNotification(self, "data_events", bucket=data, eventbridge=True)
        self.artifact_bucket: s3_bucket.S3Bucket | None = None
        artifacts = existing.artifact_bucket
        if artifacts is None:
            self.artifact_bucket, artifacts_ready = self._bucket("artifacts", key_arn)
            artifacts = str(artifacts_ready.bucket)
        self.dead_letters: sqs_queue.SqsQueue | None = None
        dead_letter_arn = existing.dead_letter_queue_arn
        if dead_letter_arn is None:
            self.dead_letters = self._dead_letters()
            dead_letter_arn = str(self.dead_letters.arn)
        self.stores = Stores(
            pipeline=name,
            key_arn=key_arn,
            data_bucket=data,
            data_bucket_arn=account.bucket_arn(data),
            artifact_bucket=artifacts,
            artifact_bucket_arn=account.bucket_arn(artifacts),
            dead_letter_arn=dead_letter_arn,
            region=account.region,
            queue_is_existing=self.dead_letters is None,
            data_folders=None if dataset.bucket_name is None else dataset.folders,
            data_key_arn=dataset.kms_key_arn,
        )

    def _key(self) -> kms_key.KmsKey:
        key = kms_key.KmsKey(
            self,
            "key",
            description=f"Everything at rest of the MLOps pipeline {self._name}",
            enable_key_rotation=True,
            deletion_window_in_days=30 if self._retain else 7,
            policy=self.key_policy,
        )
        kms_alias.KmsAlias(self, "key_alias", name=f"alias/{self._name}", target_key_id=key.key_id)
        return key

    def _bucket(
        self, purpose: str, key_arn: str
    ) -> tuple[s3_bucket.S3Bucket, s3_bucket_versioning.S3BucketVersioningA]:
        """Make a bucket, and its versioning.

        A resource that takes the bucket's name from the versioning writes encrypted versions from the start.
        """
        id_ = f"{purpose}_bucket"
        # Bucket names must be unique in the partition, across all accounts.
        bucket_name = f"{self._name}-{purpose}-{self._account.account_id}-{self._account.region}"
        # The key is deleted after the bucket: a destroy that S3 refuses, because the bucket is not empty, must not
        # have scheduled the deletion of the key that its objects need.
        after = [self.key] if self._retain and self.key is not None else None
        bucket = s3_bucket.S3Bucket(self, id_, bucket=bucket_name, force_destroy=not self._retain, depends_on=after)
        name, arn = bucket.id, bucket.arn
        versioning = s3_bucket_versioning.S3BucketVersioningA(
            self,
            f"{id_}_versioning",
            bucket=name,
            depends_on=[self._encrypt(id_, name, key_arn)],
            versioning_configuration=s3_bucket_versioning.S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        self._make_private(id_, name, arn)
        lifecycle = s3_bucket_lifecycle_configuration
        lifecycle.S3BucketLifecycleConfiguration(
            self,
            f"{id_}_lifecycle",
            # Depends on nothing else: the provider waits 50 seconds for it, the longest wait of an apply.
            bucket=name,
            rule=[
                lifecycle.S3BucketLifecycleConfigurationRule(
                    id="abandoned-uploads",
                    status="Enabled",
                    filter=[lifecycle.S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                    abort_incomplete_multipart_upload=[
                        lifecycle.S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7
                        )
                    ],
                )
            ],
        )
        return bucket, versioning

    def _encrypt(
        self, id_: str, bucket: str, key_arn: str
    ) -> s3_bucket_server_side_encryption_configuration.S3BucketServerSideEncryptionConfigurationA:
        sse = s3_bucket_server_side_encryption_configuration
        rule = sse.S3BucketServerSideEncryptionConfigurationRuleA(
            apply_server_side_encryption_by_default=(
                sse.S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                    sse_algorithm="aws:kms", kms_master_key_id=key_arn
                )
            ),
            bucket_key_enabled=True,
        )
        return sse.S3BucketServerSideEncryptionConfigurationA(self, f"{id_}_encryption", bucket=bucket, rule=[rule])

    def _make_private(self, id_: str, bucket: str, arn: str) -> None:
        block = s3_bucket_public_access_block.S3BucketPublicAccessBlock(
            self,
            f"{id_}_public_access",
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        ownership = s3_bucket_ownership_controls
        ownership.S3BucketOwnershipControls(
            self,
            f"{id_}_ownership",
            bucket=bucket,
            rule=ownership.S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        s3_bucket_policy.S3BucketPolicy(
            self,
            f"{id_}_policy",
            bucket=bucket,
            # S3 refuses two concurrent changes of a bucket's access.
            depends_on=[block],
            policy=document(
                [
                    deny(
                        "s3:*",
                        [arn, f"{arn}/*"],
                        principal=_ANYONE,
                        when={"Bool": {"aws:SecureTransport": "false"}},
                    )
                ]
            ),
        )

    def _dead_letters(self) -> sqs_queue.SqsQueue:
        account = self._account
        name = dead_letters_name(self._name)
        events = allow(
            "sqs:SendMessage",
            account.arn("sqs", name),
            principal={"Service": "events.amazonaws.com"},
            when={"ArnLike": {"aws:SourceArn": account.arn("events", f"rule/{self._name}-*")}},
        )
        return sqs_queue.SqsQueue(
            self,
            "dead_letters",
            name=name,
            # Encrypted with SQS's own key: with a KMS key, events would be lost when EventBridge may not use it.
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-sqs-sse-queue.html
            sqs_managed_sse_enabled=True,
            message_retention_seconds=14 * 24 * 3600,
            policy=document([events]),
        )
