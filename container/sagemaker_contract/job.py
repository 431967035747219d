"""What a training job was asked to do: the three files of input/config and the channels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sagemaker_contract.paths import Paths


@dataclass(frozen=True)
class Job:
    """A training job.

    Attributes:
        hyperparameters: As SageMaker writes them, every value a string.
        channels: The files of each channel that has a folder or is named in the configuration, sorted.
    """

    hyperparameters: Mapping[str, Any]
    channels: Mapping[str, list[Path]]


def read_job(paths: Paths) -> Job:
    """Read the job.

    Raises:
        ConfigurationError: When a file is no JSON object, or asks for what this container does not do.
        DataError: When ``train`` is missing, or a channel holds no file.
    """
    _check_hosts(_read_object(paths.config / "resourceconfig.json"))
    channels = {
        name: _files(name, paths.data / name)
        for name in _channel_names(_read_object(paths.config / "inputdataconfig.json"), paths.data)
    }
    if "train" not in channels:
        raise DataError(f"the channel 'train' is missing; the job has {_listed(channels)}")
    return Job(_read_object(paths.config / "hyperparameters.json"), channels)


def _read_object(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; a file that is not there says nothing."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ConfigurationError(f"input/config/{path.name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"input/config/{path.name} must hold a JSON object")
    return content


def _check_hosts(resources: Mapping[str, Any]) -> None:
    hosts = resources.get("hosts", [])
    if len(hosts) > 1:
        raise ConfigurationError(f"this container trains on one instance, the job has {len(hosts)} ({_listed(hosts)})")


def _channel_names(configured: Mapping[str, Any], data: Path) -> list[str]:
    for name, channel in configured.items():
        if isinstance(channel, dict) and channel.get("TrainingInputMode") == "Pipe":
            raise ConfigurationError(f"channel {name!r} is in Pipe mode; use File or FastFile")
    if configured:
        return sorted(configured)
    return sorted(entry.name for entry in data.iterdir() if entry.is_dir()) if data.is_dir() else []


def _files(channel: str, folder: Path) -> list[Path]:
    files = sorted(
        path
        for path in folder.rglob("*")
        # As Hadoop and Spark have it: such files (_SUCCESS, .crc) are about the data.
        if path.is_file() and not path.name.startswith((".", "_"))
    )
    if not files:
        raise DataError(f"the channel {channel!r} holds no file")
    return files


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
