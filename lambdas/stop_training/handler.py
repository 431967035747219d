"""Lambda entry point of the EventBridge rule for executions that have ended without success."""

from __future__ import annotations

from typing import Any

from handler_kit.clients import client
from stop_training.settings import Settings
from stop_training.stop import stop_training


def handler(event: dict[str, Any], context: object) -> None:
    """Stop what the execution has left running; what is raised makes Lambda deliver the event again."""
    stop_training(event, Settings.from_env(), client("codepipeline"), client("sagemaker"))
