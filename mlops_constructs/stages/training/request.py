"""What is known about the training at synth, with the member names of SageMaker's API: train_model's document."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..._aws.tagging import tag_list
from ..._script_source import script_hyperparameters
from ...config.ranges import json_value, parameter_ranges, wire_value
from ...config.training import Checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..._script_source import PackedSource
    from ...config import Training, Tuning


def training_document(
    config: Training,
    tuning: Tuning | None,
    held_out_channel: str | None,
    tags: Mapping[str, str],
    source: PackedSource | None = None,
    cost: tuple[Mapping[str, float], float | None] = (MappingProxyType({}), None),
) -> dict[str, object]:
    """Return what train_model sends for every data set, what it does when AWS has no capacity, and what it may cost."""
    written = wire_value if source is None else json_value
    return {
        "training_job": _training_job(config, tags, source),
        "tuning_job": None if tuning is None else {"HyperParameterTuningJobConfig": _search(tuning, written)},
        "channel": {
            "ContentType": "text/csv",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3DataDistributionType": config.distribution},
            },
        },
        "channels": {},
        "held_out_channel": held_out_channel,
        "fallback_instance_types": config.instance_types[1:],
        "capacity_retries": config.retry.max_capacity_retries,
        "source_sha256": None if source is None else source.sha256,
        "hourly_prices_usd": dict(cost[0]),
        "max_training_usd": cost[1],
    }


def checkpoint_path(config: Training) -> str | None:
    """Return the folder where ``train`` writes checkpoints, or None; with spot instances there is always one."""
    if config.checkpoints is not None:
        return config.checkpoints.local_path
    return None if config.spot is None else Checkpoints().local_path


def _training_job(config: Training, tags: Mapping[str, str], source: PackedSource | None) -> dict[str, Any]:
    """Return the literals of a CreateTrainingJob request."""
    metrics = [{"Name": name, "Regex": regex} for name, regex in config.metric_definitions.items()]
    algorithm: dict[str, Any] = {"TrainingInputMode": config.input_mode}
    if metrics:
        algorithm["MetricDefinitions"] = metrics
    resources = {
        "InstanceType": config.instance_type,
        "InstanceCount": config.instance_count,
        "VolumeSizeInGB": config.volume_size_in_gb,
    }
    if config.keep_alive_period_in_seconds:
        resources["KeepAlivePeriodInSeconds"] = config.keep_alive_period_in_seconds
    return {
        "AlgorithmSpecification": algorithm,
        "HyperParameters": _hyperparameters(config, source),
        "ResourceConfig": resources,
        "EnableNetworkIsolation": config.enable_network_isolation,
        "EnableInterContainerTrafficEncryption": config.encrypt_inter_container_traffic,
        "Environment": dict(config.environment),
        "Tags": tag_list(tags),
        **_limits(config),
    }


def _hyperparameters(config: Training, source: PackedSource | None) -> dict[str, str]:
    if source is None:
        return {name: wire_value(value) for name, value in config.hyperparameters.items()}
    return script_hyperparameters(config.hyperparameters)


def _limits(config: Training) -> dict[str, Any]:
    """Return how long the job may take, and what happens when its instances are interrupted or fail."""
    limits: dict[str, Any] = {"StoppingCondition": {"MaxRuntimeInSeconds": config.max_runtime_in_seconds}}
    if config.spot is not None:
        limits["EnableManagedSpotTraining"] = True
        limits["StoppingCondition"]["MaxWaitTimeInSeconds"] = config.spot.max_wait_time_in_seconds
    if config.retry.max_retry_attempts:
        limits["RetryStrategy"] = {"MaximumRetryAttempts": config.retry.max_retry_attempts}
    path = checkpoint_path(config)
    if path is not None:
        limits["CheckpointConfig"] = {"LocalPath": path}
    return limits


def _search(tuning: Tuning, written_value: Callable[[str | int | float | bool], str]) -> dict[str, Any]:
    """Make the HyperParameterTuningJobConfig."""
    search: dict[str, Any] = {
        "Strategy": tuning.strategy,
        "HyperParameterTuningJobObjective": {"Type": tuning.objective_type, "MetricName": tuning.objective_metric_name},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": tuning.jobs,
            "MaxParallelTrainingJobs": tuning.max_parallel_jobs,
            "MaxRuntimeInSeconds": tuning.max_runtime_in_seconds,
        },
        "ParameterRanges": parameter_ranges(tuning.hyperparameter_ranges),
        "TrainingJobEarlyStoppingType": tuning.early_stopping_type,
    }
    if tuning.hyperband is not None:
        limits = {"MinResource": tuning.hyperband.min_resource, "MaxResource": tuning.hyperband.max_resource}
        search["StrategyConfig"] = {"HyperbandStrategyConfig": limits}
    if tuning.random_seed is not None:
        search["RandomSeed"] = tuning.random_seed
    return search
