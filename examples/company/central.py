"""The resources of a company's central team: a key, a bucket, a queue, and every role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from mlops_constructs import Existing
from mlops_constructs.provider import iam_role, iam_role_policy, kms_key, s3_bucket, s3_bucket_versioning, sqs_queue

if TYPE_CHECKING:
    from mlops_constructs import MLOpsPipeline


class Central(Construct):
    """Resources that exist before any pipeline."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.key = kms_key.KmsKey(self, "key", description="The company's key", enable_key_rotation=True)
        self.bucket = s3_bucket.S3Bucket(self, "bucket", bucket_prefix="company-ml-", force_destroy=True)
        versioning = s3_bucket_versioning
        self.versioned = versioning.S3BucketVersioningA(
            self,
            "versioning",
            bucket=self.bucket.id,
            versioning_configuration=versioning.S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        self.queue = sqs_queue.SqsQueue(self, "queue", name="company-ml-undelivered", sqs_managed_sse_enabled=True)
        self.roles = {purpose: self._role(purpose, service) for purpose, service in Existing.ROLES.items()}

    def existing(self) -> Existing:
        """Return the resources, as an argument for a pipeline."""
        return Existing(
            kms_key_arn=self.key.arn,
            artifact_bucket=self.versioned.bucket,
            dead_letter_queue_arn=self.queue.arn,
            roles={purpose: role.arn for purpose, role in self.roles.items()},
        )

    def allow(self, pipeline: MLOpsPipeline) -> None:
        """Attach the policies that the pipeline needs to key and roles, before its resources use them."""
        self.key.policy = pipeline.key_policy
        # region: roles
        for purpose, required in pipeline.required_roles.items():
            role = self.roles[purpose].id
            policy = iam_role_policy.IamRolePolicy(self, f"{purpose}_policy", role=role, policy=required.policy)
            required.wait_for(policy)
        # endregion

    def _role(self, purpose: str, service: str) -> iam_role.IamRole:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        return iam_role.IamRole(
            self,
            f"{purpose}_role",
            name=f"company-ml-{purpose}",
            path="/company/",
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
