"""Lambda entry point of the Terraform resource that is deleted before everything else of the pipeline.

Terraform invokes the function when the resource is created, updated and deleted. When it is deleted, an error of the
function ends the destroy, and Terraform shows the error's message.
https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/lambda_invocation
"""

from __future__ import annotations

import time
from typing import Any

from guard_destroy.guard import Guard
from guard_destroy.settings import Document, Settings
from handler_kit.clients import client

# The last seconds of an invocation are for the answer.
_RESERVE_SECONDS = 30.0


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Do nothing unless the resource is deleted. Raises LeftError when something is left then."""
    settings = Settings.from_env()
    action = event.get("tf", {}).get("action")
    if action == "delete":
        deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
        Guard(settings.pipeline, Document.read(), client, time.sleep).end(lambda: time.monotonic() < deadline)
    return {"pipeline": settings.pipeline, "action": str(action)}
