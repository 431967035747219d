"""Lambda entry point of two EventBridge rules: a job has ended, and a wait for a job has begun."""

from __future__ import annotations

from typing import Any

from answer_training.answer import answer_training
from answer_training.settings import Settings
from handler_kit.clients import client


def handler(event: dict[str, Any], context: object) -> None:
    """End the wait if its job is over; when an error is raised, Lambda delivers the event again."""
    answer_training(event, Settings.from_env(), client("codepipeline"), client("sagemaker"))
