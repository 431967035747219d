"""What the function reads from its environment and from the event."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: The pipeline to start.
        image_parameter: Name of the SSM parameter that holds the image to train with.
        source_parameter: Name of the SSM parameter with the digest of the script; empty without a script.
    """

    pipeline: str
    image_parameter: str
    source_parameter: str | None
