"""What the functions of the stage Train are told, as environment variables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..._aws.literals import literal_json
from ..._aws.naming import tuning_prefix
from ..._aws.network import joined
from ...config.ranges import parameter_ranges, wire_value
from ...config.training import Checkpoints

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ...config import Network, Training, Tuning


def job_settings(env: Environment, tuning: Tuning | None) -> dict[str, str]:
    """Which SageMaker jobs are the pipeline's."""
    if tuning is None:
        return {"JOB_KIND": "training", "JOB_PREFIX": env.name}
    return {"JOB_KIND": "tuning", "JOB_PREFIX": tuning_prefix(env.name)}


def training_settings(
    config: Training, tuning: Tuning | None, network: Network | None, env: Environment
) -> dict[str, str]:
    """What train_model is told beside buckets, keys and roles."""
    hyperparameters = {name: wire_value(value) for name, value in config.hyperparameters.items()}
    metrics = [{"Name": name, "Regex": regex} for name, regex in config.metric_definitions.items()]
    return {
        **job_settings(env, tuning),
        "INSTANCE_TYPES": ",".join(config.instance_types),
        "INSTANCE_COUNT": str(config.instance_count),
        "VOLUME_SIZE_GB": str(config.volume_size_in_gb),
        "MAX_RUNTIME_SECONDS": str(config.max_runtime_in_seconds),
        "MAX_WAIT_SECONDS": "" if config.spot is None else str(config.spot.max_wait_time_in_seconds),
        "KEEP_ALIVE_SECONDS": _count(config.keep_alive_period_in_seconds),
        "INTERNAL_RETRIES": _count(config.retry.max_retry_attempts),
        "CAPACITY_RETRIES": _count(config.retry.max_capacity_retries),
        "CHECKPOINT_PATH": checkpoint_path(config),
        "NETWORK_ISOLATION": json.dumps(config.enable_network_isolation),
        "ENCRYPT_TRAFFIC": json.dumps(config.encrypt_inter_container_traffic),
        "INPUT_MODE": config.input_mode,
        "DISTRIBUTION": config.distribution,
        "SUBNET_IDS": "" if network is None else joined(network.subnet_ids),
        "SECURITY_GROUP_IDS": "" if network is None else joined(network.security_group_ids),
        "HYPERPARAMETERS": literal_json(hyperparameters),
        "METRIC_DEFINITIONS": literal_json(metrics),
        "ENVIRONMENT": literal_json(dict(config.environment)),
        "TUNING": "" if tuning is None else literal_json(_search(tuning)),
        "TAGS": literal_json(dict(env.tags)),
    }


def checkpoint_path(config: Training) -> str:
    """Where ``train`` keeps checkpoints, or an empty string; spot instances always keep some."""
    if config.checkpoints is not None:
        return config.checkpoints.local_path
    return "" if config.spot is None else Checkpoints().local_path


def _search(tuning: Tuning) -> dict[str, Any]:
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


def _count(number: int) -> str:
    return str(number) if number else ""
