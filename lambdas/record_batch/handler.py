"""Lambda entry point of the EventBridge rule for transform jobs that have ended."""

from __future__ import annotations

from typing import Any

from handler_kit.clients import client
from record_batch.record import Services, record_end
from record_batch.settings import Settings, job_name


def handler(event: dict[str, Any], context: object) -> None:
    """Complete the job's record; when an error is raised, Lambda retries and then uses the dead-letter queue."""
    settings = Settings.from_env()
    services = Services(client("s3"), client("sagemaker"), client("sns"), client("logs"))
    record_end(job_name(event, settings), settings, services)
