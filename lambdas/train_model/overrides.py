"""What a data set changes in its training, as CheckDataset found it: requests, and the columns of its contract."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from handler_kit.documents import merged
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from train_model.settings import Document


def with_overrides(document: Document, request_uri: str, s3: Any) -> Document:
    """The document with the data set's request; when it names an instance type, there are no fallback types.

    The columns of the data contract become environment variables of the job; a channel has the type of its files.
    """
    if request_uri == NONE:
        return document
    bucket, _, key = request_uri.removeprefix("s3://").partition("/")
    request = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    requested = request["training"]
    training_job = merged(merged(document.training_job, requested), {"Environment": request.get("columns", {})})
    channels = merged(document.channels, request.get("channels", {}))
    changed = dataclasses.replace(document, training_job=training_job, channels=channels)
    if "InstanceType" in requested.get("ResourceConfig", {}):
        changed = dataclasses.replace(changed, fallback_instance_types=[])
    return changed
