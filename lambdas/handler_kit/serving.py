"""How an endpoint serves, as the parameters of its stack show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def mode_of(parameters: Mapping[str, str]) -> str:
    """The mode of an endpoint with these template parameters: each mode but real-time has one of its own."""
    if "MemorySizeInMB" in parameters:
        return "serverless"
    return "asynchronous" if "BacklogPerInstance" in parameters else "real-time"
