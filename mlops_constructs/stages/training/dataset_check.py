"""The function that checks and pins a data set, and the permissions to read data sets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ..._aws.function import Function
from ..._aws.literals import literal_json
from ..._aws.policy import allow, report_result
from ..._aws.upload import upload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import Dataset
    from ...config.requests import AllowedEndpoint, AllowedTraining


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredEndpoints:
    """The endpoints that a model will be deployed to, by environment (``dev``, ``production``).

    Attributes:
        production_stack: CloudFormation stack of the model in production.
        dev_stack: CloudFormation stack of the candidate, or None where it is deleted after each decision.
        role_arns: Roles that deploy and serve them.
        topic_arn: Topic of the approval, or None when an existing topic is used.
        scales: Whether one of them can have autoscaling.
        fleets: The configured parameters of its stack.
        min_instances: The minimum number of instances that its rollout needs.
        allowed: What a data set may request for it.
        ab_test: Whether production serves a champion and a challenger.
    """

    production_stack: str
    dev_stack: str | None
    role_arns: Sequence[str]
    topic_arn: str | None
    scales: bool
    fleets: Mapping[str, Mapping[str, str]]
    min_instances: Mapping[str, int]
    allowed: Mapping[str, AllowedEndpoint]
    ab_test: bool


def check_dataset_function(
    scope: Construct,
    *,
    config: Dataset,
    env: Environment,
    image_parameter: str,
    allowed: AllowedTraining,
    endpoints: ConfiguredEndpoints,
) -> Function:
    """Make the function.

    Args:
        scope: Construct it belongs to.
        config: The data set.
        env: Where it is deployed.
        image_parameter: Name of the SSM parameter with the image.
        allowed: What a data set may request for the training job.
        endpoints: The endpoints that the model will be deployed to.
    """
    stores = env.stores
    folders = [""] if stores.data_folders is None else stores.data_folders
    readable = [f"s3://{stores.data_bucket}/{folder}" for folder in folders]
    readable += [f"s3://{name}/" for name in config.input_buckets]
    return Function(
        scope,
        "check_dataset",
        folder="check_dataset",
        env=env,
        settings={
            "ARTIFACT_BUCKET": stores.artifact_bucket,
            "MAX_BYTES": str(config.max_megabytes * 1_000_000),
            "MAX_INSPECTED_BYTES": str(config.max_inspected_megabytes * 1_000_000),
            "READABLE": " ".join(readable),
            "CONTRACT_KEY": _upload_contract(scope, config, env),
            "DUPLICATES": config.duplicates,
            "PIPELINE": env.name,
            "IMAGE_PARAMETER": image_parameter,
            "PRODUCTION_STACK": endpoints.production_stack,
            "DEV_STACK": endpoints.dev_stack or "",
            "ROLE_ARNS": " ".join(endpoints.role_arns),
            "TOPIC_ARN": endpoints.topic_arn or "",
            "FLEETS": json.dumps(endpoints.fleets),
            "MIN_INSTANCES": json.dumps({name: str(count) for name, count in endpoints.min_instances.items()}),
        },
        document={
            "training": asdict(allowed),
            **{name: asdict(one) for name, one in endpoints.allowed.items()},
            "ab_test": endpoints.ab_test,
        },
        permissions=[*_permissions(config, env, image_parameter), *_look_permissions(env, endpoints)],
        timeout_seconds=900,
        # One whole processor: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
        memory_mb=1769,
    )


def _upload_contract(scope: Construct, config: Dataset, env: Environment) -> str:
    """Upload the data contract for the function, because it may be too long for an environment variable."""
    stores = env.stores
    if config.contract is None:
        return ""
    uploaded = upload(
        scope,
        "contract",
        stores=stores,
        key=stores.own("contracts", "dataset.json"),
        content=literal_json(config.contract.to_json()),
        content_type="application/json",
    )
    key: str = uploaded.key
    return key


def _permissions(config: Dataset, env: Environment, image_parameter: str) -> list[Statement]:
    stores = env.stores
    inputs = [env.bucket_arn(name) for name in config.input_buckets]
    objects = [*stores.data_objects, *(f"{arn}/*" for arn in inputs)]
    statements = [
        allow(["s3:GetObject", "s3:GetObjectVersion"], objects),
        # To find the contract of an upload; in the own bucket, also to tell a missing object from a forbidden one.
        *stores.list_data(["s3:ListBucket"]),
        allow("s3:PutObject", stores.own_arn("datasets")),
        # Which execution an upload has started.
        allow("s3:GetObject", f"{stores.artifact_bucket_arn}/{stores.own('datasets', 'uploads/*')}"),
        allow("s3:GetObject", stores.own_arn("releases")),
        allow("ssm:GetParameter", env.arn("ssm", f"parameter{image_parameter}")),
        # When the event of an upload is delivered twice, it starts two executions; the second one is stopped.
        allow(
            ["codepipeline:GetPipelineExecution", "codepipeline:StopPipelineExecution"],
            env.arn("codepipeline", env.name),
        ),
        *stores.use_data_key(),
        *report_result(),
    ]
    if config.duplicates != "allow":
        trained = {"StringLike": {"s3:prefix": [stores.own("trained", "*")]}}
        statements.append(allow("s3:ListBucket", stores.artifact_bucket_arn, when=trained))
        statements.append(allow("s3:GetObject", stores.own_arn("trained")))
    if inputs:
        statements.append(allow("s3:ListBucket", inputs))
    if config.contract is not None:
        statements.append(allow("s3:GetObject", stores.own_arn("contracts")))
    return statements


def _look_permissions(env: Environment, endpoints: ConfiguredEndpoints) -> list[Statement]:
    """Allow looking up what a release needs: an execution that could not be deployed is refused before it trains."""
    names = [name for name in (endpoints.dev_stack, endpoints.production_stack) if name is not None]
    statements = [
        allow("cloudformation:DescribeStacks", [env.arn("cloudformation", f"stack/{name}/*") for name in names]),
        allow("sagemaker:DescribeEndpoint", [env.arn("sagemaker", f"endpoint/{name}") for name in names]),
        # CloudFormation chooses their names.
        allow("sagemaker:DescribeEndpointConfig", env.arn("sagemaker", "endpoint-config/*")),
        allow("iam:GetRole", list(endpoints.role_arns)),
    ]
    if endpoints.topic_arn is not None:
        statements.append(allow("sns:GetTopicAttributes", endpoints.topic_arn))
    if endpoints.scales:
        # This action takes no resource, hence `*`.
        statements.append(allow("application-autoscaling:DescribeScalableTargets", "*"))
    return statements
