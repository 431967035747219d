"""What the function reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        artifact_bucket: Bucket with the record, captured requests and outcomes.
        endpoint: Name of the production endpoint.
        abort_function: Function that takes the challenger's traffic away; empty without a guard.
    """

    pipeline: str
    artifact_bucket: str
    endpoint: str
    abort_function: str | None
