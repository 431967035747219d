"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        artifact_bucket: Where SageMaker writes the model, under ``models/``.
        kms_key_arn: Key for the volumes and the model; empty for AWS's own keys.
        training_role_arn: The role of the training job.
        image_parameter: Name of the SSM parameter that holds the image to train with.
        instance_type: SageMaker instance, such as ``ml.m5.large``.
        instance_count: Instances of the job.
        volume_size_gb: Disk of each instance.
        max_runtime_seconds: SageMaker stops the job after this time.
        hyperparameters: Handed to the algorithm; every value is a string.
        metric_definitions: ``Name`` and ``Regex`` of each metric in the algorithm's log.
        job_prefix: Training jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
        environment: Environment variables of the training container.
        held_out_channel: Channel that only the evaluation reads; empty for none.
    """

    artifact_bucket: str
    kms_key_arn: str | None
    training_role_arn: str
    image_parameter: str
    instance_type: str
    instance_count: int
    volume_size_gb: int
    max_runtime_seconds: int
    hyperparameters: dict[str, str]
    metric_definitions: list[dict[str, str]]
    job_prefix: str
    environment: dict[str, str]
    held_out_channel: str | None


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        dataset_uri: ``s3://`` folder with one folder per channel.
        channels: Names of the channels, split by commas.
        sha256: Fingerprint of the data set.
        release: Number of the release that is deployed again, or ``none``.
        request_uri: What the data set asks of its training, as JSON in S3; ``none`` where it asks nothing.
    """

    execution_id: str
    dataset_uri: str
    channels: str
    sha256: str
    release: str
    request_uri: str
