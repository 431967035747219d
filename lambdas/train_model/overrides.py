"""What a data set asks of its training, as CheckDataset found it in a ``trainingjob.json``."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from handler_kit.settings import NONE

if TYPE_CHECKING:
    from train_model.settings import Settings


def with_overrides(settings: Settings, request_uri: str, s3: Any) -> Settings:
    """The settings with what the data set asks for; hyperparameters and environment are laid over each other."""
    if request_uri == NONE:
        return settings
    bucket, _, key = request_uri.removeprefix("s3://").partition("/")
    asked = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["training"]
    for name in ("hyperparameters", "environment"):
        if name in asked:
            asked[name] = {**getattr(settings, name), **asked[name]}
    return dataclasses.replace(settings, **asked)
