"""What a data set requests for its training, as CheckDataset found it in a ``trainingjob.json``."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from handler_kit.documents import merged
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from train_model.settings import Document


def with_overrides(document: Document, request_uri: str, s3: Any) -> Document:
    """The document with the data set's request; when it names an instance type, there are no fallback types."""
    if request_uri == NONE:
        return document
    bucket, _, key = request_uri.removeprefix("s3://").partition("/")
    requested = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["training"]
    changed = dataclasses.replace(document, training_job=merged(document.training_job, requested))
    if "InstanceType" in requested.get("ResourceConfig", {}):
        changed = dataclasses.replace(changed, fallback_instance_types=[])
    return changed
