"""What the function reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        artifact_bucket: Bucket with the record.
        endpoint: Name of the production endpoint.
    """

    pipeline: str
    artifact_bucket: str
    endpoint: str
