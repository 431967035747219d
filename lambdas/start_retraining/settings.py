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
        pipeline: The pipeline to start.
        image_parameter: Name of the SSM parameter that holds the image to train with.
        source_parameter: Name of the SSM parameter with the digest of the script; empty without a script.
    """

    pipeline: str
    image_parameter: str
    source_parameter: str | None


def event_id(event: dict[str, Any]) -> str:
    """The ID of an EventBridge event, which stays the same when the event is delivered again."""
    found = event.get("id")
    if not isinstance(found, str) or not found:
        raise ConfigurationError("The event has no id; this function is invoked by an EventBridge rule.")
    return found
