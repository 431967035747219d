"""The source of a script: from the function's archive to S3, where the training job reads it as a channel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.errors import StepError
from handler_kit.training_jobs import CODE_CHANNEL

if TYPE_CHECKING:
    from train_model.settings import Document, Params, Settings

# In the archive of the function, and in the channel.
SOURCE = "sourcedir.tar.gz"


def code_channel(settings: Settings, document: Document) -> list[dict[str, Any]]:
    """The channel with the source, as a file on every instance whatever the input mode; none without a script."""
    if document.source_sha256 is None:
        return []
    location = {
        "S3DataType": "S3Prefix",
        "S3DataDistributionType": "FullyReplicated",
        "S3Uri": f"s3://{settings.artifact_bucket}/{_folder(settings, document.source_sha256)}",
    }
    return [{"ChannelName": CODE_CHANNEL, "InputMode": "File", "DataSource": {"S3DataSource": location}}]


def put_source(params: Params, settings: Settings, document: Document, s3: Any) -> None:
    """Write the source to S3, once more if it is there already: equal scripts have equal bytes.

    Raises StepError when the data set has a channel with the same name.
    """
    if document.source_sha256 is None:
        return
    if CODE_CHANNEL in params.channels.split(","):
        raise StepError(f"The data set has a channel {CODE_CHANNEL}, which is the name of the script's; rename it.")
    key = f"{_folder(settings, document.source_sha256)}{SOURCE}"
    body = (Path(os.environ["LAMBDA_TASK_ROOT"]) / SOURCE).read_bytes()
    s3.put_object(Bucket=settings.artifact_bucket, Key=key, Body=body, ContentType="application/gzip")
    logs.info("source written", key=key, bytes=len(body))


def _folder(settings: Settings, sha256: str) -> str:
    return f"datasets/{settings.pipeline}/sources/{sha256}/"
