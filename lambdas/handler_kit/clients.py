"""AWS clients with the function's own role, created once per execution environment."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from handler_kit.subjects import name_subjects

if TYPE_CHECKING:
    from handler_kit.job import Credentials

# InvokeEndpoint may take 60 s; all other calls return much sooner.
_CONFIG = Config(
    retries={"mode": "adaptive", "total_max_attempts": 6},
    connect_timeout=5,
    read_timeout=65,
)


@cache
def client(service: str) -> Any:
    """The boto3 client of a service; its credentials are the function's role, from the environment."""
    found = boto3.client(service, config=_CONFIG)
    name_subjects(found)
    return found


def artifact_client(credentials: Credentials) -> Any:
    """An S3 client with the credentials that CodePipeline gives for this job's artifacts, and only for those."""
    found = boto3.client(
        "s3",
        config=_CONFIG,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
    )
    name_subjects(found)
    return found
