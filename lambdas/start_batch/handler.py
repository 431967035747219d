"""Lambda entry point of the EventBridge rule for uploads of files to score, or of the schedule."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from handler_kit.clients import client
from start_batch.settings import Document, Settings
from start_batch.start import Services, start


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the job; when an error is raised, Lambda retries and then uses the dead-letter queue."""
    services = Services(client("s3"), client("sagemaker"), client("sns"))
    now = datetime.now(timezone.utc)
    return start(event, Settings.from_env(), Document.read(), services, now=now)
