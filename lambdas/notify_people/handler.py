"""Lambda entry point of the rules on rollbacks and on time."""

from __future__ import annotations

from typing import Any

from handler_kit.clients import client
from notify_people.notify import Services, notify
from notify_people.settings import Settings


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Publish at most one message; when an error is raised, Lambda retries and then uses the dead-letter queue."""
    services = Services(client("sns"), client("cloudformation"), client("codepipeline"))
    return notify(event, Settings.from_env(), services)
