"""What a data set requests for training and endpoints, as CheckDataset found it in a ``trainingjob.zip``."""

from __future__ import annotations

import json
from typing import Any

from handler_kit.settings import NONE


def read_request(request_uri: str, s3: Any) -> dict[str, dict[str, Any]]:
    """Read the request: ``training`` has members of CreateTrainingJob, ``endpoints`` has template parameters.

    The parameters of the templates are in one object for each environment, ``dev`` and ``production``.
    """
    if request_uri == NONE:
        return {"training": {}, "endpoints": {}}
    bucket, _, key = request_uri.removeprefix("s3://").partition("/")
    request: dict[str, dict[str, Any]] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return request


def asked_of_endpoints(request_uri: str, s3: Any) -> dict[str, dict[str, str]]:
    """Environment to the template parameters that replace the configured ones."""
    requested: dict[str, dict[str, str]] = read_request(request_uri, s3)["endpoints"]
    return requested
