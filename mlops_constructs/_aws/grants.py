"""Permissions that a pipeline grants to existing roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError, Problem
from .async_objects import FAILURE, INPUT, OUTPUT, async_keys, async_objects
from .keys import use_key
from .policy import allow, pass_role, through

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .environment import Environment
    from .policy import Statement


def invoke_endpoint(env: Environment, endpoint: str) -> list[Statement]:
    """Allow invoking one endpoint."""
    return [allow("sagemaker:InvokeEndpoint", env.arn("sagemaker", f"endpoint/{endpoint}"))]


def invoke_asynchronously(env: Environment, endpoint: str) -> list[Statement]:
    """Allow invoking production's asynchronous endpoint: its requests and responses are objects."""
    stores, stage = env.stores, endpoint.removeprefix(f"{env.name}-")
    return [
        allow("sagemaker:InvokeEndpointAsync", env.arn("sagemaker", f"endpoint/{endpoint}")),
        allow("s3:PutObject", async_objects(env, stage, INPUT)),
        allow("s3:GetObject", async_objects(env, stage, OUTPUT, FAILURE)),
        # To know whether a response exists.
        allow(
            "s3:ListBucket",
            stores.artifact_bucket_arn,
            when={"StringLike": {"s3:prefix": async_keys(stores, stage, OUTPUT, FAILURE)}},
        ),
        use_key(stores),
    ]


def upload_datasets(env: Environment, folders: Sequence[str]) -> list[Statement]:
    """Allow uploading data sets, and the objects that manifests name."""
    stores = env.stores
    arn = stores.data_bucket_arn
    key = stores.use_data_key(write=True)
    if stores.data_folders is None:
        key = [use_key(stores)]
    return [allow("s3:PutObject", [f"{arn}/{folder}*" for folder in folders]), *key]


def report_outcomes(env: Environment) -> list[Statement]:
    """Allow reporting outcomes of requests: new objects below the pipeline's folder of ground truth."""
    stores = env.stores
    return [
        allow("s3:PutObject", stores.own_arn("ground-truth")),
        allow("kms:GenerateDataKey", stores.key_arn, when=through(stores.region, "s3")),
        # `mlops outcomes` finds the bucket in it.
        allow("codepipeline:GetPipeline", env.arn("codepipeline", env.name)),
    ]


def assign_users(env: Environment, endpoint: str) -> list[Statement]:
    """Allow an application to keep its users at one variant: reading the record, and invoking the endpoint."""
    stores = env.stores
    record = f"{stores.artifact_bucket_arn}/{stores.own('ab', 'record.json')}"
    key = allow("kms:Decrypt", stores.key_arn, when=through(stores.region, "s3"))
    return [allow("s3:GetObject", record), key, *invoke_endpoint(env, endpoint)]


def operate_ab_test(env: Environment, endpoint: str, judge_arn: str | None) -> list[Statement]:
    """Allow what `mlops ab status`, `shift`, `ramp` and `abort` do; a promotion also needs an approver.

    Raises ConfigError without the function that looks at a test.
    """
    if judge_arn is None:
        problem = Problem("ab_test", "must be given where A/B tests are operated", None, "give an ABTest")
        raise ConfigError("MLOpsPipeline", [problem])
    stores, tagged = env.stores, {"StringEquals": {"aws:ResourceTag/mlops:pipeline": env.name}}
    # The records, and the model of the release with which the pipeline is started.
    read = [stores.own(folder, "*") for folder in ("ab", "releases", "models")]
    listed = [stores.own("ab", "record.json"), stores.own("releases", "*")]
    return [
        allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": listed}}),
        allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{folder}" for folder in read]),
        allow("s3:PutObject", f"{stores.artifact_bucket_arn}/{stores.own('ab', 'record.json')}"),
        use_key(stores),
        allow(
            ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
            env.arn("sagemaker", f"endpoint/{endpoint}"),
        ),
        allow(
            ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
            [env.arn("sagemaker", "endpoint-config/*"), env.arn("sagemaker", "model/*")],
            when=tagged,
        ),
        allow("sagemaker:DescribeModelPackage", env.arn("sagemaker", f"model-package/{env.name}/*")),
        allow("s3:GetObjectVersion", stores.data_objects),
        *stores.use_data_key(),
        allow("lambda:InvokeFunction", judge_arn),
        allow(
            ["cloudformation:DescribeStackResources", "cloudformation:DescribeStacks"],
            env.arn("cloudformation", f"stack/{endpoint}/*"),
        ),
        allow(
            ["codepipeline:GetPipeline", "codepipeline:GetPipelineExecution", "codepipeline:StartPipelineExecution"],
            env.arn("codepipeline", env.name),
        ),
        # These actions take no resource, hence `*`.
        allow(["application-autoscaling:DescribeScalableTargets", "cloudwatch:GetMetricData"], "*"),
    ]


def pause_endpoints(env: Environment, deploy_role_arns: Mapping[str, str]) -> list[Statement]:
    """Allow what `mlops pause` and `resume` do: changing the endpoints' stacks, each with its role alone.

    Args:
        env: Where it is deployed.
        deploy_role_arns: Stack to the ARN of the role with which CloudFormation deploys it; the endpoint has its name.
    """
    stacks = {name: env.arn("cloudformation", f"stack/{name}/*") for name in deploy_role_arns}
    changes = [
        allow("cloudformation:UpdateStack", stacks[name], when={"ArnEquals": {"cloudformation:RoleArn": role}})
        for name, role in deploy_role_arns.items()
    ]
    return [
        allow(["codepipeline:GetPipeline", "codepipeline:GetPipelineState"], env.arn("codepipeline", env.name)),
        allow("cloudformation:DescribeStacks", list(stacks.values())),
        *changes,
        *(pass_role(role, "cloudformation.amazonaws.com") for role in deploy_role_arns.values()),
        allow("sagemaker:DescribeEndpoint", [env.arn("sagemaker", f"endpoint/{name}") for name in deploy_role_arns]),
        allow(
            ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
            [env.arn("sagemaker", "endpoint-config/*"), env.arn("sagemaker", "model/*")],
            when={"StringEquals": {"aws:ResourceTag/mlops:pipeline": env.name}},
        ),
        # `resume` looks for what somebody deleted. This action takes no resource, hence `*`.
        allow("application-autoscaling:DescribeScalableTargets", "*"),
    ]


def score_files(env: Environment, folders: tuple[str, str] | None) -> list[Statement]:
    """Allow uploading files to the first folder, and reading predictions and records in the second one.

    Raises ConfigError without the two folders.
    """
    if folders is None:
        problem = Problem("batch", "must be given where files are scored", None, "give a BatchTransform")
        raise ConfigError("MLOpsPipeline", [problem])
    stores, (given, returned) = env.stores, folders
    own_key = [use_key(stores)] if stores.data_folders is None else stores.use_data_key(write=True)
    return [
        allow("s3:PutObject", f"{stores.data_bucket_arn}/{given}*"),
        allow("s3:ListBucket", stores.data_bucket_arn, when={"StringLike": {"s3:prefix": [f"{returned}*"]}}),
        allow("s3:GetObject", f"{stores.data_bucket_arn}/{returned}*"),
        *own_key,
        # `mlops batch` finds bucket and folders in them; the variables of a function are encrypted.
        allow("codepipeline:GetPipeline", env.arn("codepipeline", env.name)),
        allow("lambda:GetFunctionConfiguration", env.arn("lambda", f"function:{env.name}-start-batch")),
        allow("kms:Decrypt", stores.key_arn, when=through(env.region, "lambda")),
    ]


def answer_approval(env: Environment, stage: str, action: str) -> list[Statement]:
    """Allow reading the pipeline's state, and approving or rejecting exactly its approval action."""
    arn = env.arn("codepipeline", env.name)
    return [
        allow(["codepipeline:GetPipelineState", "codepipeline:GetPipelineExecution"], arn),
        allow("codepipeline:PutApprovalResult", f"{arn}/{stage}/{action}"),
    ]
