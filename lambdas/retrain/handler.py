"""Lambda entry point: the function that watches production invokes it with an alarm, and EventBridge to look again."""

from __future__ import annotations

import os
import time
from typing import Any

from handler_kit.clients import client
from retrain.alarm import read_alarm
from retrain.retrain import Services, retrain
from retrain.settings import Document, Settings


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Decide, and start at most one execution; when an error is raised, Lambda and the next look retry."""
    settings = Settings.from_env()
    services = Services(client("s3"), client("codepipeline"), client("sns"), os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    return retrain(read_alarm(event, settings.pipeline), settings, Document.read(), services, clock=time.time)
