"""The function that invokes a fresh deployment with the golden records."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from ..._aws.async_objects import FAILURE, INPUT, OUTPUT, async_keys, async_objects
from ..._aws.function import Function
from ..._aws.policy import allow, report_result
from ..._aws.tagging import PIPELINE_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import Endpoint, SmokeTest
    from ...config.serving import Mode

_INVOKE: Mapping[Mode, str] = {
    "real-time": "sagemaker:InvokeEndpoint",
    "serverless": "sagemaker:InvokeEndpoint",
    "asynchronous": "sagemaker:InvokeEndpointAsync",
}


def smoke_test_function(scope: Construct, endpoint: str, config: Endpoint, env: Environment, accept: str) -> Function:
    """Make the function for the endpoint ``dev`` or ``production``."""
    stores, test = env.stores, config.smoke_test
    rivals = [] if test.confidence_level is None else [f"{env.name}-production"]
    return Function(
        scope,
        f"{endpoint}_smoke_test",
        folder="smoke_test",
        purpose=f"smoke-test-{endpoint}",
        env=env,
        settings={**_limits(test), "PRODUCTION_ENDPOINT": "".join(rivals), "ACCEPT": accept},
        permissions=[
            allow(
                ["sagemaker:DescribeEndpoint", _INVOKE[config.mode]],
                env.arn("sagemaker", f"endpoint/{env.name}-{endpoint}"),
            ),
            *(_queue(env, endpoint) if config.mode == "asynchronous" else []),
            *(allow("sagemaker:InvokeEndpoint", env.arn("sagemaker", f"endpoint/{rival}")) for rival in rivals),
            # CloudFormation chooses the names of configurations and models, so a tag identifies them.
            allow(
                ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
                [env.arn("sagemaker", "endpoint-config/*"), env.arn("sagemaker", "model/*")],
                when={"StringEquals": {f"aws:ResourceTag/{PIPELINE_TAG}": env.name}},
            ),
            allow("s3:GetObject", f"{stores.artifact_bucket_arn}/{stores.own('datasets', '*/golden.csv')}"),
            *report_result(),
        ],
        timeout_seconds=300,
    )


def _queue(env: Environment, endpoint: str) -> list[Statement]:
    """Allow sending requests to an asynchronous endpoint, and waiting for what SageMaker writes."""
    stores = env.stores
    written = async_keys(stores, endpoint, OUTPUT, FAILURE)
    return [
        allow("s3:PutObject", async_objects(env, endpoint, f"{INPUT}/smoke-test")),
        allow("s3:GetObject", async_objects(env, endpoint, OUTPUT, FAILURE)),
        # To know whether they exist.
        allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": written}}),
    ]


def _limits(test: SmokeTest) -> dict[str, str]:
    """What the function checks predictions with; an empty text is no limit."""
    values = {field.name.upper(): getattr(test, field.name) for field in fields(test)}
    return {name: "" if value is None else repr(value) for name, value in values.items()}
