"""Serverless and asynchronous endpoints: what AWS excludes from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.constraints import keys
from mlops_constructs.local_aws.constraints.rule import Rule, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_CONFIG = ("sagemaker:CreateEndpointConfig",)
_CHANGES = ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint")
_EXCLUSIONS = (
    "https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html: Feature exclusions: data capture, "
    "network isolation, VPC configuration, multiple production variants"
)
_ONLY_INSTANCES = ("VolumeSizeInGB", "ModelDataDownloadTimeoutInSeconds", "ContainerStartupHealthCheckTimeoutInSeconds")


def _serverless(params: Params) -> list[Params]:
    return [one for one in params.get("ProductionVariants", []) if "ServerlessConfig" in one]


def _memory(params: Params, _: Account) -> str | None:
    for variant in _serverless(params):
        config = variant["ServerlessConfig"]
        memory, most = config["MemorySizeInMB"], config["MaxConcurrency"]
        if memory % 1024:
            return f"MemorySizeInMB must be a multiple of 1024, got {memory}"
        if config.get("ProvisionedConcurrency", 1) > most:
            return f"ProvisionedConcurrency must be at most MaxConcurrency ({most})"
    return None


def _excluded(params: Params, account: Account) -> str | None:
    variants = _serverless(params)
    if not variants:
        return None
    if len(params["ProductionVariants"]) > 1:
        return "A serverless endpoint can have one production variant only."
    for member in ("DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig"):
        if member in params:
            return f"{member} is not supported for serverless endpoints."
    (variant,) = variants
    for member in _ONLY_INSTANCES:
        if member in variant:
            return f"{member} is not supported for the serverless variant {variant['VariantName']}."
    return next(_of_model(variant, account), None)


def _of_model(variant: Params, account: Account) -> Iterator[str]:
    try:
        model = account.client("sagemaker").describe_model(ModelName=variant.get("ModelName", ""))
    except ClientError:  # the operation itself reports a model that does not exist
        return
    if model.get("EnableNetworkIsolation"):
        yield f"Network isolation of the model {variant['ModelName']} is not supported for serverless endpoints."
    if model.get("VpcConfig"):
        yield f"The VpcConfig of the model {variant['ModelName']} is not supported for serverless endpoints."


def _queued(params: Params, _: Account) -> str | None:
    if "AsyncInferenceConfig" not in params:
        return None
    if len(params.get("ProductionVariants", [])) > 1:
        return "An asynchronous endpoint can have one production variant only."
    if "DataCaptureConfig" in params:
        return "DataCaptureConfig is not supported together with AsyncInferenceConfig."
    if not found(params, "AsyncInferenceConfig.OutputConfig.S3OutputPath"):
        return "AsyncInferenceConfig.OutputConfig needs an S3OutputPath."
    return None


def _topics(params: Params, account: Account) -> str | None:
    named = found(params, "AsyncInferenceConfig.OutputConfig.NotificationConfig")
    for name in ("SuccessTopic", "ErrorTopic"):
        arn = named.get(name) if isinstance(named, dict) else None
        if arn is None:
            continue
        try:
            account.moto("sns").get_topic_attributes(TopicArn=arn)
        except ClientError:
            return f"The {name} {arn} does not exist."
    return None


def _guardrails(params: Params, account: Account) -> str | None:
    if "DeploymentConfig" not in params:
        return None
    try:
        config = account.client("sagemaker").describe_endpoint_config(EndpointConfigName=params["EndpointConfigName"])
    except ClientError:
        return None
    return "A DeploymentConfig is not supported for serverless endpoints." if _serverless(config) else None


RULES = (
    Rule(_CONFIG, _V, "MemorySizeInMB: Valid values are in 1 GB increments; ProvisionedConcurrency", _memory),
    Rule(_CONFIG, _V, _EXCLUSIONS, _excluded),
    Rule(
        _CONFIG,
        _V,
        "InvokeEndpointAsync has no TargetVariant; https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-"
        "capture.html: data capture is for real-time endpoints and batch transform jobs. Whether AWS refuses it is not "
        "documented",
        _queued,
    ),
    Rule(_CONFIG, _V, keys.SOURCE, keys.exists_at("AsyncInferenceConfig.OutputConfig.KmsKeyId")),
    Rule(
        _CONFIG,
        _V,
        "https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html: create a topic first",
        _topics,
    ),
    Rule(
        _CHANGES,
        _V,
        "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html: no rolling deployment; "
        "CapacitySize is a share of the instances, of which it has none",
        _guardrails,
    ),
)
