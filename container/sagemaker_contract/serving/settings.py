"""The server's settings: one environment variable per field."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from sagemaker_contract.errors import ConfigurationError
from sagemaker_contract.formats.limits import Limits
from sagemaker_contract.serving.cpus import available_cpus

DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
_SWITCH = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}


@dataclass(frozen=True)
class Settings:
    """The settings from the environment."""

    host: str
    port: int
    workers: int
    timeout_seconds: int
    default_accept: str | None
    maximum_body_megabytes: int
    log_level: int
    access_log_sample: float
    acceleration: bool
    multi_model: bool

    @property
    def maximum_body_bytes(self) -> int:
        return self.maximum_body_megabytes * 1024 * 1024

    def limits(self, columns: int | None) -> Limits:
        """How much a body may decode to, for a model of records with ``columns`` values."""
        return Limits.of(self.maximum_body_bytes, columns)

    @property
    def hung_seconds(self) -> int:
        """Seconds after which a call counts as hung. Before, it may still end, even if its request got 503."""
        return 3 * self.timeout_seconds

    @classmethod
    def from_env(cls) -> Settings:
        """Read the environment.

        Raises:
            ConfigurationError: If a variable is invalid; the message names the first one.
        """
        multi_model = _switch("SAGEMAKER_MULTI_MODEL", default=False)
        return cls(
            host=os.environ.get("SAGEMAKER_BIND_TO_HOST") or "0.0.0.0",
            port=_whole_number("SAGEMAKER_BIND_TO_PORT", default=8080, maximum=65535),
            # Only one process knows which models are loaded.
            workers=1 if multi_model else _workers(),
            # SageMaker's own limit is 60 seconds. This one is shorter, so that the caller gets the reason.
            timeout_seconds=_whole_number("SAGEMAKER_MODEL_SERVER_TIMEOUT", default=55, maximum=3600),
            default_accept=os.environ.get(DEFAULT_ACCEPT) or None,
            maximum_body_megabytes=_whole_number("SAGEMAKER_MAX_PAYLOAD_IN_MB", default=6, maximum=100),
            log_level=_log_level("SAGEMAKER_CONTAINER_LOG_LEVEL"),
            access_log_sample=_share("SERVE_ACCESS_LOG_SAMPLE"),
            acceleration=_switch("SERVE_ACCELERATION", default=True),
            multi_model=multi_model,
        )


def _workers() -> int:
    return _whole_number("SAGEMAKER_MODEL_SERVER_WORKERS", default=available_cpus(), maximum=256)


def _whole_number(name: str, *, default: int, maximum: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise ConfigurationError(f"{name} must be a whole number from 1 to {maximum}, got {text!r}")
    return int(text)


def _share(name: str) -> float:
    text = os.environ.get(name) or "0"
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ConfigurationError(f"{name} must be a number from 0 to 1, got {text!r}")
    return share


def _switch(name: str, *, default: bool) -> bool:
    text = os.environ.get(name)
    if not text:
        return default
    if text.lower() not in _SWITCH:
        raise ConfigurationError(f"{name} must be true or false, got {text!r}")
    return _SWITCH[text.lower()]


def _log_level(name: str) -> int:
    """A name such as ``INFO``, or Python's number for it, as the SageMaker SDK sets it."""
    text = os.environ.get(name) or "INFO"
    level = int(text) if text.isdecimal() else logging.getLevelName(text.upper())
    if not isinstance(level, int):
        raise ConfigurationError(f"{name} must be a level such as INFO or 20, got {text!r}")
    return level
