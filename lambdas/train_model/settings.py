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
        artifact_bucket: Bucket that SageMaker writes models and checkpoints to, under ``models/<pipeline>/`` and
            ``checkpoints/<pipeline>/``.
        kms_key_arn: Key for the volumes and the model; empty for AWS's own keys.
        training_role_arn: The role of the training job.
        pipeline: Name of the pipeline; its image pipeline has the same name with ``-image`` at the end.
        image_parameter: Name of the SSM parameter that holds the image to train with.
        job_prefix: Jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
        subnet_ids: Subnet IDs, separated by commas; empty for no VPC.
        security_group_ids: Security group IDs, separated by commas; empty for no VPC.
    """

    artifact_bucket: str
    kms_key_arn: str | None
    training_role_arn: str
    pipeline: str
    image_parameter: str
    job_prefix: str
    subnet_ids: str | None
    security_group_ids: str | None


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        training_job: Members of the CreateTrainingJob request that are known at synth.
        tuning_job: Additional members of the CreateHyperParameterTuningJob request; ``None`` without tuning.
        channel: Members that every channel of ``InputDataConfig`` has.
        channels: Members that a channel has of its own, by its name.
        held_out_channel: Channel that only the evaluation reads, or ``None``.
        fallback_instance_types: Instance types to use when AWS has no capacity of the configured type.
        capacity_retries: How often a job is started again when there was no capacity.
        source_sha256: Digest of the script whose source is in the archive of the function, or ``None``.
        hourly_prices_usd: Instance type to the price of one instance per hour, where it is known.
        max_training_usd: Maximum cost of a training, or ``None``.
    """

    training_job: dict[str, Any]
    tuning_job: dict[str, Any] | None
    channel: dict[str, Any]
    channels: dict[str, dict[str, Any]]
    held_out_channel: str | None
    fallback_instance_types: list[str]
    capacity_retries: int
    source_sha256: str | None
    hourly_prices_usd: dict[str, float]
    max_training_usd: float | None

    @property
    def instance_types(self) -> list[str]:
        """The configured instance type, then the fallback types."""
        return [self.training_job["ResourceConfig"]["InstanceType"], *self.fallback_instance_types]


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        dataset_uri: ``s3://`` folder with one folder per channel.
        channels: Names of the channels, separated by commas.
        sha256: Fingerprint of the data set.
        release: Number of the release that is deployed again, or ``none``.
        request_uri: S3 URI of what the data set requests for its training, as JSON; ``none`` without a request.
        step: ``train`` starts the job and waits for its end. A job that takes longer than an action can wait has two
            actions: ``start`` starts it and waits until it has instances, ``read`` returns its result.
    """

    execution_id: str
    dataset_uri: str
    channels: str
    sha256: str
    release: str
    request_uri: str
    step: str
