"""Lambda entry point of the guard: invoked by the function that judges the test, without any input."""

from __future__ import annotations

import time
from typing import Any

from abort_ab_test.abort import abort
from abort_ab_test.settings import Settings
from handler_kit.ab_store import Store
from handler_kit.clients import client


def handler(event: object, context: object) -> dict[str, Any]:
    """Abort the test that runs; the payload is ignored. When an error is raised, Lambda and the next look retry."""
    settings = Settings.from_env()
    store = Store(client("s3"), settings.artifact_bucket, settings.pipeline)
    return abort(store, client("sagemaker"), settings.endpoint, now=time.time(), sleep=time.sleep)
