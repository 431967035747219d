"""The function that invokes a fresh deployment with the golden records."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from ..._aws.function import Function
from ..._aws.policy import allow, report_result
from ..._aws.tagging import PIPELINE_TAG

if TYPE_CHECKING:
    from constructs import Construct

    from ..._aws.environment import Environment
    from ...config import SmokeTest


def smoke_test_function(scope: Construct, endpoint: str, test: SmokeTest, env: Environment, accept: str) -> Function:
    """Make the function for the endpoint ``dev`` or ``production``."""
    stores = env.stores
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
                ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
                env.arn("sagemaker", f"endpoint/{env.name}-{endpoint}"),
            ),
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


def _limits(test: SmokeTest) -> dict[str, str]:
    """What the function checks predictions with; an empty text is no limit."""
    values = {field.name.upper(): getattr(test, field.name) for field in fields(test)}
    return {name: "" if value is None else repr(value) for name, value in values.items()}
