"""Which options may lose data when they are changed: nothing else may, and what is here must happen.

`docs/configuration.md` says it for each option. `make soak-changes` finds what really happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Option to what it deletes or replaces, of all values that were tried.
LOSSES: Mapping[str, set[str]] = {
    "ab_test": {"deletes log group"},
    "algorithm.codecommit_repository": {"deletes CodePipeline", "deletes ECR repository", "deletes log group"},
    "algorithm.directory": {
        "deletes CodeCommit repository",
        "deletes CodePipeline",
        "deletes ECR repository",
        "deletes log group",
    },
    "algorithm.ecr_repository_name": {"deletes ECR repository"},
    "algorithm.git": {"deletes CodePipeline", "deletes ECR repository", "deletes connection", "deletes log group"},
    "algorithm.git.connection_arn": {"deletes connection"},
    "algorithm.git.provider_type": {"replaces connection"},
    "algorithm.script": {"deletes parameter"},
    "approval.emails": {"deletes subscription"},
    "approval.keep_dev_endpoint": {"deletes log group"},
    "approval.topic_arn": {"deletes SNS topic", "deletes subscription"},
    "batch": {"deletes log group"},
    "dataset.bucket_name": {"deletes data bucket"},
    "dataset.schedule_expression": {"deletes log group"},
    "evaluation.job": {"deletes log group"},
    "existing.artifact_bucket": {"deletes artifact bucket"},
    "existing.dead_letter_queue_arn": {"deletes dead-letter queue"},
    "existing.kms_key_arn": {"deletes KMS key", "replaces ECR repository", "replaces notebook instance"},
    "id_": {
        "deletes CodeCommit repository",
        "deletes CodePipeline",
        "deletes ECR repository",
        "deletes KMS key",
        "deletes SNS topic",
        "deletes artifact bucket",
        "deletes data bucket",
        "deletes dead-letter queue",
        "deletes log group",
        "deletes model package group",
        "deletes notebook instance",
        "deletes parameter",
        "deletes subscription",
    },
    "monitoring": {"deletes log group"},
    "monitoring.retraining": {"deletes log group"},
    "name_prefix": {
        "replaces CodePipeline",
        "replaces ECR repository",
        "replaces SNS topic",
        "replaces artifact bucket",
        "replaces data bucket",
        "replaces dead-letter queue",
        "replaces log group",
        "replaces model package group",
        "replaces notebook instance",
        "replaces parameter",
        "replaces subscription",
    },
    "notebook": {"deletes notebook instance", "replaces notebook instance"},
    "notebook.security_group_ids": {"replaces notebook instance"},
    "notebook.subnet_id": {"replaces notebook instance"},
    "notebook.volume_size_in_gb": {"replaces notebook instance"},
}
