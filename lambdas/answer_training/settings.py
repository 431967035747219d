"""What the function reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        stage: Name of the stage that waits.
        action: Name of the approval action that waits.
        job_kind: ``training`` or ``tuning``.
        job_prefix: Jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
    """

    pipeline: str
    stage: str
    action: str
    job_kind: str
    job_prefix: str
