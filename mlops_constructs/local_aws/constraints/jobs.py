"""Training, tuning and processing jobs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.constraints import keys
from mlops_constructs.local_aws.constraints.instances import has_local_storage
from mlops_constructs.local_aws.constraints.rule import Rule, found
from mlops_constructs.local_aws.ecr.manifests import is_missing, refused_manifest

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_TRAIN, _TUNE, _PROCESS = (f"sagemaker:Create{kind}Job" for kind in ("Training", "HyperParameterTuning", "Processing"))
_DEFINITION = "TrainingJobDefinition"
_CLUSTER = "ProcessingResources.ClusterConfig"
_CONFIG = "HyperParameterTuningJobConfig"


def _definition(params: Params) -> Params:
    """The definition of the training job in a request for training or tuning."""
    definition: Params = params.get(_DEFINITION, params)
    return definition


def _volume_key(path: str, params: Params, _: Account) -> str | None:
    instance_type, key = found(params, f"{path}.InstanceType"), found(params, f"{path}.VolumeKmsKeyId")
    if key and isinstance(instance_type, str) and has_local_storage(instance_type):
        return f"VolumeKmsKeyId cannot be requested for {instance_type}: its local storage is encrypted by hardware."
    return None


def _one_algorithm(params: Params, _: Account) -> str | None:
    both = params.get("AlgorithmSpecification", {}).keys() >= {"AlgorithmName", "TrainingImage"}
    return "You can't specify both AlgorithmName and TrainingImage." if both else None


def _wait_without_spot(params: Params, _: Account) -> str | None:
    definition = _definition(params)
    if (
        definition.get("EnableManagedSpotTraining")
        or found(definition, "StoppingCondition.MaxWaitTimeInSeconds") is None
    ):
        return None
    return "MaxWaitTimeInSeconds is for managed spot training only."


def _wait_below_runtime(params: Params, _: Account) -> str | None:
    definition = _definition(params)
    limits = definition.get("StoppingCondition", {})
    wait, runtime = limits.get("MaxWaitTimeInSeconds"), limits.get("MaxRuntimeInSeconds", 0)
    if definition.get("EnableManagedSpotTraining") and (wait is None or wait < runtime):
        return "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
    return None


def _kept_alive_spot(params: Params, _: Account) -> str | None:
    definition = _definition(params)
    kept = found(definition, "ResourceConfig.KeepAlivePeriodInSeconds")
    spot = definition.get("EnableManagedSpotTraining")
    return "KeepAlivePeriodInSeconds cannot be used with managed spot training." if spot and kept else None


def _early_stopping(params: Params, _: Account) -> str | None:
    config = params.get(_CONFIG, {})
    if config.get("Strategy") == "Hyperband" and config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        return "TrainingJobEarlyStoppingType must be OFF to use Hyperband."
    return None


def _strategy_config(params: Params, _: Account) -> str | None:
    config = params.get(_CONFIG, {})
    if "StrategyConfig" in config and config.get("Strategy") != "Hyperband":
        return "StrategyConfig can be provided only if Hyperband is selected as the strategy."
    return None


def _instance_configs(params: Params, _: Account) -> str | None:
    resources = params.get(_DEFINITION, {}).get("HyperParameterTuningResourceConfig", {})
    others = sorted({"InstanceType", "InstanceCount", "VolumeSizeInGB"} & resources.keys())
    if "InstanceConfigs" in resources and others:
        return f"Do not provide {', '.join(others)} together with InstanceConfigs."
    return None


def _training_image(params: Params, account: Account) -> str | None:
    image = found(_definition(params), "AlgorithmSpecification.TrainingImage")
    if not image:
        return None
    if is_missing(account, str(image)):
        return f"Cannot find the requested image: {image}"
    return refused_manifest(account, str(image))


_LOCAL = "VolumeKmsKeyId: You can't request a VolumeKmsKeyId when using an instance type with local storage."
_SPOT = "StoppingCondition.MaxWaitTimeInSeconds: It must be equal to or greater than MaxRuntimeInSeconds."

RULES = (
    *(
        Rule((call,), _V, _LOCAL, partial(_volume_key, path))
        for call, path in (
            (_TRAIN, "ResourceConfig"),
            (_TUNE, f"{_DEFINITION}.ResourceConfig"),
            (_TUNE, f"{_DEFINITION}.HyperParameterTuningResourceConfig"),
            (_PROCESS, _CLUSTER),
        )
    ),
    Rule(
        (_TRAIN,),
        _V,
        "AlgorithmSpecification.AlgorithmName: you can't specify a value for TrainingImage, and vice versa.",
        _one_algorithm,
    ),
    Rule(
        (_TRAIN, _TUNE),
        _V,
        "StoppingCondition.MaxWaitTimeInSeconds: of a managed Spot training job.",
        _wait_without_spot,
    ),
    Rule((_TRAIN, _TUNE), _V, _SPOT, _wait_below_runtime),
    Rule(
        (_TRAIN, _TUNE),
        _V,
        "https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html: no spot training",
        _kept_alive_spot,
    ),
    Rule((_TUNE,), _V, "TrainingJobEarlyStoppingType must be OFF to use Hyperband.", _early_stopping),
    Rule((_TUNE,), _V, "StrategyConfig: only if Hyperband is selected as the strategy.", _strategy_config),
    Rule(
        (_TUNE,),
        _V,
        "HyperParameterTuningResourceConfig.InstanceConfigs: do not provide values for InstanceType, VolumeSizeInGB or "
        "InstanceCount.",
        _instance_configs,
    ),
    Rule(
        (_TRAIN, _TUNE),
        _V,
        "https://github.com/aws/amazon-sagemaker-examples/issues/1476: Cannot find the requested image; "
        "https://github.com/aws/amazon-sagemaker-feedback/issues/180: Docker's manifests alone",
        _training_image,
    ),
    *(
        Rule((call,), _V, keys.SOURCE, keys.exists_at(path))
        for call, path in (
            (_TRAIN, "ResourceConfig.VolumeKmsKeyId"),
            (_TRAIN, "OutputDataConfig.KmsKeyId"),
            (_TUNE, f"{_DEFINITION}.ResourceConfig.VolumeKmsKeyId"),
            (_TUNE, f"{_DEFINITION}.OutputDataConfig.KmsKeyId"),
            (_PROCESS, f"{_CLUSTER}.VolumeKmsKeyId"),
            (_PROCESS, "ProcessingOutputConfig.KmsKeyId"),
        )
    ),
)
