"""What the function reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: What to start.
        action: Its source action that the data set comes through.
        bucket: Where data sets land.
        prefix: Folder of the data sets.
        suffix: What their keys end with; empty for anything.
    """

    pipeline: str
    action: str
    bucket: str
    prefix: str
    suffix: str | None
