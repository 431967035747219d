"""From an uploaded object to an execution on exactly that version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .._aws.actions import Action
from .._aws.policy import allow

if TYPE_CHECKING:
    from .._aws.pipeline import Pipeline
    from .._aws.policy import Statement
    from .._aws.stores import Stores
    from ..config import Dataset

_ACTION = "Dataset"


def dataset_source(config: Dataset, stores: Stores) -> Action:
    """Describe the source action of the data set; key and version come with each start."""
    return Action(
        name=_ACTION,
        category="Source",
        provider="S3",
        namespace=_ACTION,
        outputs=[_ACTION],
        configuration={
            "S3Bucket": stores.data_bucket,
            # Used only by a start without overrides: a person's "Release change", or CodePipeline's own first one.
            "S3ObjectKey": f"{config.prefix}manifest.json",
            "AllowOverrideForS3ObjectKey": "true",
            "PollForSourceChanges": "false",
        },
    )


def source_permissions(config: Dataset, stores: Stores) -> list[Statement]:
    """What the pipeline's role needs to read the uploaded object."""
    return [
        allow(
            ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
            f"{stores.data_bucket_arn}/{config.prefix}*",
        ),
        allow(["s3:GetBucketVersioning", "s3:GetBucketLocation", "s3:ListBucket"], stores.data_bucket_arn),
    ]


def start_on_upload(pipeline: Pipeline, config: Dataset, stores: Stores) -> None:
    """Start ``pipeline`` for each object that lands under the prefix.

    Without the overrides a burst of uploads would train many times on the last one.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html
    """
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [stores.data_bucket]},
            # Folder markers and empty objects start nothing.
            "object": {"key": [{"prefix": config.prefix}], "size": [{"numeric": [">", 0]}]},
        },
    }
    overrides = [
        {"actionName": _ACTION, "revisionType": "S3_OBJECT_KEY", "revisionValue": "<key>"},
        {"actionName": _ACTION, "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "<version>"},
    ]
    pipeline.start_on(
        "on_upload",
        pattern,
        input_paths={"key": "$.detail.object.key", "version": "$.detail.object.version-id"},
        input_template=json.dumps({"sourceRevisions": overrides}),
    )
