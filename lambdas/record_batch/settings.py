"""What the function reads from its environment and from the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.errors import ConfigurationError
from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        data_bucket: Bucket with the scored files, and their predictions.
        output_prefix: Folder of predictions and records.
        output_key_arn: Key that encrypts the records; empty for the bucket's default.
        job_prefix: Jobs are named ``<job_prefix>-<20 hex digits of the input>``.
        topic_arn: Topic that is notified of a failed job.
    """

    pipeline: str
    data_bucket: str
    output_prefix: str
    output_key_arn: str | None
    job_prefix: str
    topic_arn: str


def job_name(event: dict[str, Any], settings: Settings) -> str:
    """The job that an event of SageMaker is about. Raises ConfigurationError for another pipeline's."""
    name = event.get("detail", {}).get("TransformJobName")
    if not isinstance(name, str) or not name.startswith(f"{settings.job_prefix}-"):
        raise ConfigurationError(f"The event is about {name!r}, which is not a transform job of {settings.pipeline}.")
    return name
