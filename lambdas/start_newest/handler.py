"""Lambda entry point: EventBridge calls it by schedule."""

from __future__ import annotations

from typing import Any

from handler_kit.clients import client
from start_newest.settings import Settings
from start_newest.start import start_newest


def handler(event: dict[str, Any], context: object) -> None:
    """Start the pipeline; what fails is raised, so that Lambda tries again and then keeps the event."""
    start_newest(Settings.from_env(), client("s3"), client("codepipeline"), token=str(event["id"]))
