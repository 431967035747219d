"""What the function reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        topic_arn: SNS topic that is notified.
        reminder_minutes: Time after which people are reminded of an approval; empty for never.
        check_minutes: Time between two events of the schedule.
        approval_timeout_minutes: Time after which an approval fails.
    """

    pipeline: str
    topic_arn: str
    reminder_minutes: int | None
    check_minutes: int
    approval_timeout_minutes: int
