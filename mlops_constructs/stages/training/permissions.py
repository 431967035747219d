"""Policies of the training job, and of the functions that start it, stop jobs and wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.bounds import JobBounds
from ..._aws.keys import use_key, use_key_for_volumes
from ..._aws.naming import tuning_prefix
from ..._aws.network import network_permissions
from ..._aws.policy import allow, pass_role, pull_image, report_result
from .request import checkpoint_path

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import Training, Tuning
    from ...config.requests import AllowedTraining


def job_permissions(env: Environment, image_arn: str, config: Training) -> list[Statement]:
    """Return what the training job's role needs: for its data, model, checkpoints, image, logs and metrics."""
    stores = env.stores
    bucket = stores.artifact_bucket_arn
    keeps = checkpoint_path(config) is not None
    prefixes = [stores.own(folder, "*") for folder in ("datasets", *(["checkpoints"] if keeps else []))]
    checkpoints = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    return [
        allow("s3:ListBucket", bucket, when={"StringLike": {"s3:prefix": prefixes}}),
        allow("s3:GetObject", stores.own_arn("datasets")),
        allow("s3:PutObject", stores.own_arn("models")),
        *([allow(checkpoints, stores.own_arn("checkpoints"))] if keeps else []),
        use_key(stores),
        *use_key_for_volumes(stores.key_arn),
        *pull_image(image_arn),
        *network_permissions(env),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            env.arn("logs", "log-group:/aws/sagemaker/TrainingJobs*"),
        ),
        allow(
            "cloudwatch:PutMetricData",
            "*",
            when={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}},
        ),
    ]


def launch_permissions(
    env: Environment,
    *,
    role_arn: str,
    image_parameter: str,
    image_arn: str,
    config: Training,
    tuning: Tuning | None,
    allowed: AllowedTraining,
    has_source: bool = False,
) -> list[Statement]:
    """Return what train_model needs: to start exactly the configured job, and to describe it."""
    stores = env.stores
    jobs = [training_jobs_arn(env, tuning)]
    create, look = "sagemaker:CreateTrainingJob", ["sagemaker:DescribeTrainingJob"]
    created = jobs
    if tuning is not None:
        create = "sagemaker:CreateHyperParameterTuningJob"
        created = [tuning_jobs_arn(env)]
        look += [
            "sagemaker:DescribeHyperParameterTuningJob",
            "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        ]
        jobs = [*jobs, *created]
    bounds = JobBounds(
        instance_types=allowed.instance_types,
        max_runtime_in_seconds=allowed.max_runtime_in_seconds,
        network_isolation=config.enable_network_isolation,
        encrypted_traffic=config.instance_count > 1 and config.encrypt_inter_container_traffic,
    )
    return [
        *(allow(create, created, when=when) for when in bounds.conditions(env)),
        allow([*look, "sagemaker:AddTags"], jobs),
        # If the execution was stopped meanwhile, the function stops the job that it has just started.
        allow("codepipeline:GetPipelineExecution", env.arn("codepipeline", env.name)),
        *stop_permissions(env, tuning),
        pass_role(role_arn, "sagemaker.amazonaws.com"),
        allow("ssm:GetParameter", env.arn("ssm", f"parameter{image_parameter}")),
        allow("s3:GetObject", stores.own_arn("releases")),
        allow("s3:GetObject", f"{stores.artifact_bucket_arn}/{stores.own('datasets', '*/request.json')}"),
        # The script's source, for the training job.
        *(
            [allow("s3:PutObject", f"{stores.artifact_bucket_arn}/{stores.own('datasets', 'sources/*')}")]
            if has_source
            else []
        ),
        # To resolve a tag to its digest.
        allow("ecr:BatchGetImage", image_arn),
        *use_key_for_volumes(stores.key_arn),
        *report_result(),
    ]


def look_permissions(env: Environment, tuning: Tuning | None) -> list[Statement]:
    """Allow describing the jobs of executions."""
    if tuning is None:
        return [allow("sagemaker:DescribeTrainingJob", training_jobs_arn(env, tuning))]
    return [allow("sagemaker:DescribeHyperParameterTuningJob", tuning_jobs_arn(env))]


def stop_permissions(env: Environment, tuning: Tuning | None) -> list[Statement]:
    """Allow stopping the jobs of executions."""
    if tuning is None:
        return [allow("sagemaker:StopTrainingJob", training_jobs_arn(env, tuning))]
    return [allow("sagemaker:StopHyperParameterTuningJob", tuning_jobs_arn(env))]


def evaluation_stop_permissions(env: Environment) -> list[Statement]:
    """Allow stopping the evaluation jobs of executions."""
    jobs = env.arn("sagemaker", f"processing-job/{env.name}-*")
    return [allow(["sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"], jobs)]


def training_jobs_arn(env: Environment, tuning: Tuning | None) -> str:
    """Return the ARN pattern of the training jobs; SageMaker names the training jobs of a tuning job after it."""
    prefix = env.name if tuning is None else tuning_prefix(env.name)
    return env.arn("sagemaker", f"training-job/{prefix}-*")


def tuning_jobs_arn(env: Environment) -> str:
    """Return the ARN pattern of the tuning jobs."""
    return env.arn("sagemaker", f"hyper-parameter-tuning-job/{tuning_prefix(env.name)}-*")
