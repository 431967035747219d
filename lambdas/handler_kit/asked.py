"""What a data set asks of the endpoints, as CheckDataset found it in a ``deployment.json``."""

from __future__ import annotations

import json
from typing import Any

from handler_kit.settings import NONE


def asked_of_endpoints(request_uri: str, s3: Any) -> dict[str, dict[str, str]]:
    """Environment to template parameters that take the place of the configured ones."""
    if request_uri == NONE:
        return {}
    bucket, _, key = request_uri.removeprefix("s3://").partition("/")
    request = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    asked: dict[str, dict[str, str]] = request["endpoints"]
    return asked
