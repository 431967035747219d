"""Lambda entry point of the EventBridge rule for changes of the image parameter."""

from __future__ import annotations

from typing import Any

from handler_kit.clients import client
from start_retraining.settings import Settings
from start_retraining.start import start


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the pipeline; when an error is raised, Lambda retries and then uses the dead-letter queue."""
    return start(Settings.from_env(), client("codepipeline"), client("ssm"))
