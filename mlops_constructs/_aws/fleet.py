"""What an endpoint runs on, as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import Endpoint


def fleet(endpoint: Endpoint) -> str:
    """Return for example ``2 to 4 x ml.m5.large``."""
    serverless = endpoint.serverless_config
    if serverless is not None:
        return str(serverless)
    least, most = _instances(endpoint)
    return f"{least if least == most else f'{least} to {most}'} x {endpoint.instance_type}"


def _instances(endpoint: Endpoint) -> tuple[int, int]:
    if endpoint.autoscaling is None:
        return endpoint.initial_instance_count, endpoint.initial_instance_count
    return endpoint.autoscaling.min_capacity, endpoint.autoscaling.max_capacity
