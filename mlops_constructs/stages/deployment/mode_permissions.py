"""What the roles of an endpoint may do because of its mode of serving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._aws.async_objects import FAILURE, INPUT, OUTPUT, async_objects
from ..._aws.policy import allow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import Endpoint


def payloads(env: Environment, stage: str, config: Endpoint) -> list[Statement]:
    """Allow a container's role to write what SageMaker keeps of requests and responses.

    For an asynchronous endpoint, SageMaker reads requests, writes responses and notifies topics with this role.
    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
    """
    stores = env.stores
    if config.mode == "serverless":
        return []
    if config.async_inference_config is None:
        return [allow("s3:PutObject", f"{stores.artifact_bucket_arn}/{stores.own('capture', stage)}/*")]
    topics = sorted(set(config.async_inference_config.topics.values()))
    return [
        allow("s3:GetObject", async_objects(env, stage, INPUT)),
        # A response of up to 1 GB is uploaded in parts.
        allow(["s3:AbortMultipartUpload", "s3:PutObject"], async_objects(env, stage, OUTPUT, FAILURE)),
        *([allow("sns:Publish", topics)] if topics else []),
    ]


def sizes(config: Endpoint, instance_types: Sequence[str]) -> dict[str, Any]:
    """Return the conditions on what an endpoint configuration may contain: its instances, or its memory."""
    serverless = config.serverless_config
    if serverless is None:
        return {
            "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": list(instance_types)},
            # ForAllValues is true when the request does not contain the key at all.
            "Null": {"sagemaker:InstanceTypes": "false"},
        }
    most = {
        "sagemaker:ServerlessMaxConcurrency": str(serverless.max_concurrency),
        "sagemaker:ServerlessMemorySize": str(serverless.memory_size_in_mb),
    }
    return {"NumericLessThanEquals": most, "Null": {"sagemaker:InstanceTypes": "true"}}


def isolation(config: Endpoint) -> dict[str, Any]:
    """Return the condition on a model: SageMaker does not support network isolation for serverless endpoints."""
    return {} if config.mode == "serverless" else {"Bool": {"sagemaker:NetworkIsolation": "true"}}
