"""Policies of the jobs, and of the functions that start them, record them and test a candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.keys import use_key, use_key_for_volumes
from ..._aws.network import network_permissions
from ..._aws.policy import allow, pass_role, pull_image, report_result
from ...config._instances import has_own_disks
from .request import PIPELINE_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ..._aws.topic import Topic
    from ...config import BatchTransform

LOGS = "/aws/sagemaker/TransformJobs"
TESTS = "batch-tests"
# Beside the predictions of each job: what it scores, and its record.
MANIFEST, RECORD = "manifest.json", "record.json"
# Condition keys that SageMaker has renamed.
_OUTPUT_KEYS = ("sagemaker:OutputKmsKey", "sagemaker:OutputKmsKeyArn")
_VOLUME_KEYS = ("sagemaker:VolumeKmsKey", "sagemaker:VolumeKmsKeyArn")


def job_permissions(config: BatchTransform, env: Environment, image_arn: str) -> list[Statement]:
    """Return what the jobs' role needs: it reads files to score and golden records, and writes predictions only."""
    stores = env.stores
    data, artifacts = stores.data_bucket_arn, stores.artifact_bucket_arn
    listed = {"StringLike": {"s3:prefix": [f"{config.input_prefix}*"]}}
    tests = stores.own(TESTS, "*/in/*")
    return [
        allow("s3:ListBucket", data, when=listed),
        allow("s3:ListBucket", artifacts, when={"StringLike": {"s3:prefix": [tests]}}),
        allow(
            "s3:GetObject",
            [
                *(f"{data}/{one}" for one in (f"{config.input_prefix}*", f"{config.output_prefix}*/{MANIFEST}")),
                f"{artifacts}/{tests}",
                stores.own_arn("models"),
            ],
        ),
        allow("s3:PutObject", [f"{data}/{config.output_prefix}*", f"{artifacts}/{stores.own(TESTS, '*/out/*')}"]),
        use_key(stores),
        *stores.use_data_key(write=True),
        *use_key_for_volumes(stores.key_arn),
        *network_permissions(env),
        *pull_image(image_arn),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            env.arn("logs", f"log-group:{LOGS}*"),
        ),
        allow("cloudwatch:PutMetricData", "*", when={"StringEquals": {"cloudwatch:namespace": LOGS}}),
    ]


def start_permissions(
    config: BatchTransform, env: Environment, role_arn: str, packages_arn: str, prefix: str, topic: Topic
) -> list[Statement]:
    """Return what start_batch needs; ``prefix`` begins the names of the jobs."""
    stores = env.stores
    return [
        *_launch(config, env, role_arn, prefix, output_key(env)),
        allow("sagemaker:DescribeModelPackage", packages_arn),
        *_released(env),
        _folder(env, ["s3:ListBucket", "s3:ListBucketVersions"], config.input_prefix),
        allow(
            "s3:GetObject",
            [
                f"{stores.data_bucket_arn}/{config.input_prefix}*",
                f"{stores.data_bucket_arn}/{config.output_prefix}*/{RECORD}",
            ],
        ),
        allow("s3:PutObject", f"{stores.data_bucket_arn}/{config.output_prefix}*/{MANIFEST}"),
        *_records(config, env),
        *topic.publish(env),
    ]


def record_permissions(config: BatchTransform, env: Environment, prefix: str, topic: Topic) -> list[Statement]:
    """Return what record_batch needs: to describe its jobs, to read what they wrote, and their logs."""
    stores = env.stores
    return [
        allow("sagemaker:DescribeTransformJob", env.arn("sagemaker", f"transform-job/{prefix}-*")),
        allow("sagemaker:DeleteModel", env.arn("sagemaker", f"model/{prefix}-*")),
        _folder(env, ["s3:ListBucket"], config.input_prefix),
        allow(
            "s3:GetObject", [f"{stores.data_bucket_arn}/{one}*" for one in (config.input_prefix, config.output_prefix)]
        ),
        *_records(config, env),
        _read_logs(env),
        *topic.publish(env),
    ]


def smoke_test_permissions(
    config: BatchTransform, env: Environment, role_arn: str, packages_arn: str, prefix: str
) -> list[Statement]:
    """Return what batch_smoke_test needs."""
    stores = env.stores
    return [
        *_launch(config, env, role_arn, prefix, stores.key_arn),
        allow("sagemaker:StopTransformJob", env.arn("sagemaker", f"transform-job/{prefix}-*")),
        allow("codepipeline:GetPipelineExecution", env.arn("codepipeline", env.name)),
        allow("sagemaker:DescribeModelPackage", packages_arn),
        allow(
            "s3:GetObject",
            [f"{stores.artifact_bucket_arn}/{stores.own('datasets', '*/golden.csv')}", stores.own_arn(TESTS)],
        ),
        allow("s3:PutObject", f"{stores.artifact_bucket_arn}/{stores.own(TESTS, '*/in/*')}"),
        _read_logs(env),
        *report_result(),
    ]


def output_key(env: Environment) -> str | None:
    """Return the key of predictions and records: the pipeline's in its own bucket, otherwise the bucket's, if any."""
    stores = env.stores
    return stores.key_arn if stores.data_folders is None else stores.data_key_arn


def _launch(
    config: BatchTransform, env: Environment, role_arn: str, prefix: str, key_arn: str | None
) -> list[Statement]:
    """Allow creating a model and a job with it, of this pipeline only: the names and a tag say so."""
    jobs, models = env.arn("sagemaker", f"transform-job/{prefix}-*"), env.arn("sagemaker", f"model/{prefix}-*")
    tagged = {"StringEquals": {f"aws:RequestTag/{PIPELINE_TAG}": env.name}}
    return [
        allow("sagemaker:CreateModel", models, when={**tagged, "Bool": {"sagemaker:NetworkIsolation": "true"}}),
        *(allow("sagemaker:CreateTransformJob", jobs, when=when) for when in _bounds(config, env, models, key_arn)),
        allow("sagemaker:AddTags", [models, jobs], when=tagged),
        allow("sagemaker:DescribeTransformJob", jobs),
        allow("sagemaker:DeleteModel", models),
        pass_role(role_arn, "sagemaker.amazonaws.com"),
        *use_key_for_volumes(env.stores.key_arn),
    ]


def _bounds(
    config: BatchTransform, env: Environment, models: str, key_arn: str | None
) -> Iterator[dict[str, dict[str, object]]]:
    """Yield the conditions of a job, with the former and with the current names of the keys.

    The reference does not say from when on a request no longer contains the former ones.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    listed: dict[str, object] = {"sagemaker:InstanceTypes": [config.instance_type]}
    for output, volume in zip(_OUTPUT_KEYS, _VOLUME_KEYS, strict=True):
        keys: dict[str, object] = {"sagemaker:ModelArn": models}
        equal: dict[str, object] = {} if key_arn is None else {output: key_arn}
        if not has_own_disks(config.instance_type):
            equal[volume] = env.stores.key_arn
        yield {
            "ArnLike": keys,
            **({"ArnEquals": equal} if equal else {}),
            "ForAllValues:StringEquals": listed,
            # ForAllValues is true when the request does not contain the key at all.
            "Null": dict.fromkeys(listed, "false"),
        }


def _released(env: Environment) -> list[Statement]:
    stores = env.stores
    listed = {"StringLike": {"s3:prefix": [stores.own("releases", "*")]}}
    return [
        allow("s3:ListBucket", stores.artifact_bucket_arn, when=listed),
        allow("s3:GetObject", stores.own_arn("releases")),
    ]


def _records(config: BatchTransform, env: Environment) -> list[Statement]:
    stores = env.stores
    records = f"{stores.data_bucket_arn}/{config.output_prefix}*/{RECORD}"
    return [
        _folder(env, ["s3:ListBucket"], config.output_prefix),
        allow("s3:PutObject", records),
        *stores.use_data_key(write=True),
    ]


def _folder(env: Environment, actions: list[str], folder: str) -> Statement:
    return allow(actions, env.stores.data_bucket_arn, when={"StringLike": {"s3:prefix": [f"{folder}*"]}})


def _read_logs(env: Environment) -> Statement:
    return allow("logs:FilterLogEvents", f"{env.arn('logs', f'log-group:{LOGS}')}:*")
