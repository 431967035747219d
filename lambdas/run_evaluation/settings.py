"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        artifact_bucket: Where the report goes, under ``evaluations/``.
        kms_key_arn: Key for the volume and the report; empty for AWS's own keys.
        evaluation_role_arn: The role of the processing job.
        job_prefix: Jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
        channel: The channel of the data set with the held-out records.
        entrypoint: Program and arguments; an empty list runs the image with the argument ``evaluate``.
        image: Image of the program; empty for the candidate's.
        instance_type: SageMaker instance, such as ``ml.m5.large``.
        volume_size_gb: Its disk.
        max_runtime_seconds: SageMaker stops the job after this time.
        environment: Environment variables of the program.
        subnet_ids: Subnets split by commas; empty for no VPC.
        security_group_ids: Security groups split by commas; empty for no VPC.
        tags: Tags of the job, beside the one that names the execution.
    """

    artifact_bucket: str
    kms_key_arn: str | None
    evaluation_role_arn: str
    job_prefix: str
    channel: str
    entrypoint: list[str]
    image: str | None
    instance_type: str
    volume_size_gb: int
    max_runtime_seconds: int
    environment: dict[str, str]
    subnet_ids: str | None
    security_group_ids: str | None
    tags: dict[str, str]


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        dataset_uri: ``s3://`` folder with one folder per channel.
        channels: Names of the channels, split by commas.
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
