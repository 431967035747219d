"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        artifact_bucket: Where SageMaker writes models, under ``models/``, and checkpoints, under ``checkpoints/``.
        kms_key_arn: Key for the volumes and the model; empty for AWS's own keys.
        training_role_arn: The role of the training job.
        pipeline: Name of the pipeline, whose releases can be deployed again; that of its image ends in ``-image``.
        image_parameter: Name of the SSM parameter that holds the image to train with.
        job_kind: ``training``, or ``tuning`` for a search over many training jobs.
        job_prefix: Jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
        instance_types: SageMaker instances split by commas: the wanted one, then what stands in for it.
        instance_count: Instances of the job.
        volume_size_gb: Disk of each instance.
        max_runtime_seconds: SageMaker stops the job after this time.
        max_wait_seconds: The same with waiting for spot instances; empty for on-demand instances.
        keep_alive_seconds: How long the instances are kept for the next job; empty for not at all.
        internal_retries: Times that SageMaker repeats a job after an error of its own; empty for none.
        capacity_retries: Times that a job is started again when there was no instance; empty for none.
        checkpoint_path: Where ``train`` keeps checkpoints; empty for none.
        network_isolation: ``true`` or ``false``.
        encrypt_traffic: ``true`` or ``false``; between several instances.
        input_mode: ``File``, ``FastFile`` or ``Pipe``.
        distribution: ``FullyReplicated`` or ``ShardedByS3Key``.
        subnet_ids: Subnets split by commas; empty for no VPC.
        security_group_ids: Security groups split by commas; empty for no VPC.
        hyperparameters: Handed to the algorithm; every value is a string.
        metric_definitions: ``Name`` and ``Regex`` of each metric in the algorithm's log.
        environment: Environment variables of the training container.
        held_out_channel: Channel that only the evaluation reads; empty for none.
        tuning: The JSON of a HyperParameterTuningJobConfig; empty without a search.
        tags: Tags of the job, beside those that name the execution.
    """

    artifact_bucket: str
    kms_key_arn: str | None
    training_role_arn: str
    pipeline: str
    image_parameter: str
    job_kind: str
    job_prefix: str
    instance_types: str
    instance_count: int
    volume_size_gb: int
    max_runtime_seconds: int
    max_wait_seconds: int | None
    keep_alive_seconds: int | None
    internal_retries: int | None
    capacity_retries: int | None
    checkpoint_path: str | None
    network_isolation: str
    encrypt_traffic: str
    input_mode: str
    distribution: str
    subnet_ids: str | None
    security_group_ids: str | None
    hyperparameters: dict[str, str]
    metric_definitions: list[dict[str, str]]
    environment: dict[str, str]
    held_out_channel: str | None
    tuning: str | None
    tags: dict[str, str]


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
        step: ``train`` starts the job and waits for its end. A job that takes longer than an action may wait has two
            actions: ``start`` waits until it runs, ``read`` gives its result.
    """

    execution_id: str
    dataset_uri: str
    channels: str
    sha256: str
    release: str
    request_uri: str
    step: str
