"""What the function reads from its environment, its document and the action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.documents import DocumentBase
from handler_kit.golden_limits import Limits
from handler_kit.settings import ParamsBase


@dataclass(frozen=True)
class Settings(Limits):
    """
    Attributes:
        pipeline: Name of the pipeline.
        artifact_bucket: Bucket for the records without labels and their predictions, under ``batch-tests/``.
        kms_key_arn: Key for the volumes and the output; empty for AWS's own keys.
        batch_role_arn: Role of the jobs.
        job_prefix: Jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
        subnet_ids: Subnet IDs, separated by commas; empty for no VPC.
        security_group_ids: Security group IDs, separated by commas; empty for no VPC.
    """

    pipeline: str
    artifact_bucket: str
    kms_key_arn: str | None
    batch_role_arn: str
    job_prefix: str
    subnet_ids: str | None
    security_group_ids: str | None


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        transform_job: Members of the CreateTransformJob request that are known at synth.
    """

    transform_job: dict[str, Any]


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        golden_uri: S3 URI of the golden records; with ``none``, there is no job.
        model_package_arn: The model package of the candidate.
    """

    execution_id: str
    golden_uri: str
    model_package_arn: str
