"""What the function reads from its environment, its document and the action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.documents import DocumentBase
from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        artifact_bucket: Bucket that stores the report, under ``evaluations/<job_prefix>/``.
        kms_key_arn: Key for the volume and the report; empty for AWS's own keys.
        evaluation_role_arn: The role of the processing job.
        job_prefix: Jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
        image: Image of the program; empty for the candidate's image.
        subnet_ids: Subnet IDs, separated by commas; empty for no VPC.
        security_group_ids: Security group IDs, separated by commas; empty for no VPC.
    """

    artifact_bucket: str
    kms_key_arn: str | None
    evaluation_role_arn: str
    job_prefix: str
    image: str | None
    subnet_ids: str | None
    security_group_ids: str | None


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        processing_job: Members of the CreateProcessingJob request that are known at synth.
        channel: The channel of the data set with the held-out records.
    """

    processing_job: dict[str, Any]
    channel: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        dataset_uri: ``s3://`` folder with one folder per channel.
        channels: Names of the channels, separated by commas.
        image: The candidate's image.
        model_data_url: The candidate's model.
        release: Number of the release that is deployed again, or ``none``.
    """

    execution_id: str
    dataset_uri: str
    channels: str
    image: str
    model_data_url: str
    release: str
