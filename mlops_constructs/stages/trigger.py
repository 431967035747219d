"""What starts an execution: an upload, on exactly that object version, and a schedule, on the newest data set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .._aws.actions import Action
from .._aws.events import invoke_on
from .._aws.function import Function
from .._aws.policy import allow

if TYPE_CHECKING:
    from .._aws.environment import Environment
    from .._aws.pipeline import Pipeline
    from .._aws.policy import Statement
    from ..config import Dataset

# Name and namespace of the source action. CodePipeline requires that its artifact has another name.
ACTION = "Dataset"
_ARTIFACT = "DatasetObject"


def dataset_source(config: Dataset, env: Environment) -> Action:
    """Describe the source action of the data set; each start of an execution gives the object key and version."""
    return Action(
        name=ACTION,
        category="Source",
        action_provider="S3",
        namespace=ACTION,
        outputs=[_ARTIFACT],
        configuration={
            "S3Bucket": env.stores.data_bucket,
            # Used only by a start without overrides: "Release change" in the console, or the first start, which
            # CodePipeline makes itself.
            "S3ObjectKey": f"{config.prefix}manifest.json",
            "AllowOverrideForS3ObjectKey": "true",
            "PollForSourceChanges": "false",
        },
    )


def source_permissions(config: Dataset, env: Environment) -> list[Statement]:
    """Allow the pipeline's role to read the uploaded object."""
    stores = env.stores
    return [
        allow(
            ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
            f"{stores.data_bucket_arn}/{config.prefix}*",
        ),
        allow(["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"], stores.data_bucket_arn),
        # Without it, S3 reports a missing object as "access denied"; a condition on the listed prefix would not help.
        *([allow("s3:ListBucket", stores.data_bucket_arn)] if stores.data_folders is None else []),
        *stores.use_data_key(),
    ]


def upload_pattern(config: Dataset, bucket: str) -> dict[str, object]:
    """Make the event pattern of an upload; it does not match folder markers and empty objects.

    Two conditions in one list would be alternatives, so a prefix with a suffix becomes a wildcard.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    key = {"prefix": config.prefix} if config.suffix is None else {"wildcard": f"{config.prefix}*{config.suffix}"}
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [key], "size": [{"numeric": [">", 0]}]}},
    }


def start_on_upload(pipeline: Pipeline, config: Dataset, env: Environment) -> None:
    """Start ``pipeline`` for each object that is uploaded under the prefix.

    Where uploads start nothing the rule is there, but disabled: `mlops upload` reads in it what to expect.

    Without the source revision overrides, several uploads at once would all train on the last one.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html
    """
    overrides = [
        {"actionName": ACTION, "revisionType": "S3_OBJECT_KEY", "revisionValue": "<key>"},
        {"actionName": ACTION, "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "<version>"},
    ]
    pipeline.start_on(
        "on_upload",
        upload_pattern(config, env.stores.data_bucket),
        input_paths={"key": "$.detail.object.key", "version": "$.detail.object.version-id"},
        input_template=json.dumps({"sourceRevisions": overrides}),
        enabled=config.start_on_upload,
    )


def start_on_schedule(pipeline: Pipeline, config: Dataset, env: Environment, schedule: str) -> None:
    """Start ``pipeline`` on a schedule, on the newest data set; a function finds it."""
    stores = env.stores
    folder = f"{config.prefix}*"
    function = Function(
        pipeline,
        "start_newest",
        folder="start_newest",
        env=env,
        settings={
            "PIPELINE": pipeline.name,
            "ACTION": ACTION,
            "BUCKET": stores.data_bucket,
            "PREFIX": config.prefix,
            "SUFFIX": "" if config.suffix is None else config.suffix,
        },
        permissions=[
            allow(
                ["s3:ListBucket", "s3:ListBucketVersions"],
                stores.data_bucket_arn,
                when={"StringLike": {"s3:prefix": [folder]}},
            ),
            allow("codepipeline:StartPipelineExecution", pipeline.arn),
        ],
        timeout_seconds=300,
    )
    invoke_on(pipeline, "on_schedule", schedule=schedule, function=function, env=env, target_id="start-newest")


def data_bucket_needs(config: Dataset) -> str:
    """Return what the owner of an existing bucket must configure, as text."""
    needs = ["versioning switched on, as CodePipeline reads exact versions"]
    if not config.manage_notifications:
        needs.append("its events sent to Amazon EventBridge, or no upload starts the pipeline")
    if config.kms_key_arn is not None:
        needs.append("a key policy that lets IAM policies of this account decide")
    return "This bucket is used as it is. It needs: " + "; ".join(needs) + "."
