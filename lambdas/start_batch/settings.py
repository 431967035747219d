"""What the function reads from its environment and its document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.documents import DocumentBase
from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        artifact_bucket: Bucket with the records of releases.
        data_bucket: Bucket with the files to score, and their predictions.
        input_prefix: Folder of the files to score.
        output_prefix: Folder of predictions and records.
        output_key_arn: Key that encrypts predictions and records; empty for the bucket's default.
        kms_key_arn: Key for the volumes; empty for AWS's own keys.
        batch_role_arn: Role of the jobs.
        job_prefix: Jobs are named ``<job_prefix>-<20 hex digits of the input>``.
        topic_arn: Topic that is notified when a file cannot be scored.
        subnet_ids: Subnet IDs, separated by commas; empty for no VPC.
        security_group_ids: Security group IDs, separated by commas; empty for no VPC.
    """

    pipeline: str
    artifact_bucket: str
    data_bucket: str
    input_prefix: str
    output_prefix: str
    output_key_arn: str | None
    kms_key_arn: str | None
    batch_role_arn: str
    job_prefix: str
    topic_arn: str
    subnet_ids: str | None
    security_group_ids: str | None


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        transform_job: Members of the CreateTransformJob request that are known at synth.
    """

    transform_job: dict[str, Any]
