"""Creates botocore clients that ignore the user's own AWS configuration."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=900,
    max_pool_connections=50,
    proxies={},  # a proxy in the user's environment must not receive loopback requests
    s3={"addressing_style": "path"},
)


class ClientFactory:
    """Clients of one region."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._session = _isolated_session()
        self._lock = threading.Lock()  # creating clients from one botocore session is not thread-safe

    @property
    def partition(self) -> str:
        """The ARN partition of the region, such as `aws-us-gov`."""
        return str(self._session.get_partition_for_region(self._region))

    @property
    def dns_suffix(self) -> str:
        """The domain of the partition's endpoints, such as `amazonaws.com`."""
        partitions = self._session.get_data("partitions")["partitions"]
        return str(next(one["outputs"]["dnsSuffix"] for one in partitions if one["id"] == self.partition))

    def make(self, service_name: str, url: str, credentials: Mapping[str, Any] | None = None) -> Any:
        """A client that calls `url`; without credentials it calls as the account's administrator."""
        given = credentials if credentials is not None else {}
        with self._lock:
            return self._session.create_client(
                service_name,
                region_name=self._region,
                endpoint_url=url,
                aws_access_key_id=given.get("AccessKeyId", ACCESS_KEY_ID),
                aws_secret_access_key=given.get("SecretAccessKey", SECRET_ACCESS_KEY),
                aws_session_token=given.get("SessionToken"),
                config=_CONFIG,
            )


def _isolated_session() -> Any:
    """A session that ignores the user's profiles and configuration files."""
    nothing = os.devnull
    return botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, nothing, None),
            "credentials_file": (None, None, nothing, None),
            "ignore_configured_endpoint_urls": (None, None, True, None),
        }
    )
