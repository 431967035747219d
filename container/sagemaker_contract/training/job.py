"""The input of a training job: the three files in input/config, and the channels."""

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
        channels: The files of each channel in the configuration, or of each folder if there is none, sorted.
        hosts: All instances of the job.
        current_host: The instance that this program runs on.
    """

    hyperparameters: Mapping[str, Any]
    channels: Mapping[str, list[Path]]
    hosts: tuple[str, ...]
    current_host: str

    def check_hosts(self, *, uses_all: bool) -> None:
        """Print which hosts train; reject a job with instances that would cost money and do nothing.

        Raises:
            ConfigurationError: If there are several hosts and the algorithm trains on one.
        """
        if len(self.hosts) > 1 and not uses_all:
            raise ConfigurationError(
                f"this algorithm trains on one instance, but the job has {len(self.hosts)} ({_listed(self.hosts)})"
            )
        how = f"host {self.current_host} of {_listed(self.hosts)}" if uses_all else f"one host, {self.current_host}"
        print(f"training on {how}", flush=True)


def read_job(paths: Paths) -> Job:
    """Read the job.

    Raises:
        ConfigurationError: If a file is not a JSON object of the right form, or a channel is in Pipe mode.
        DataError: If ``train`` is missing, or a channel has no file.
    """
    hosts, current_host = _hosts(_read_object(paths.config / "resourceconfig.json"))
    channels = {
        name: _files(name, paths.data / name)
        for name in _channel_names(_read_object(paths.config / "inputdataconfig.json"), paths.data)
    }
    if "train" not in channels:
        raise DataError(f"the channel 'train' is missing; the job has {_listed(channels)}")
    return Job(_read_object(paths.config / "hyperparameters.json"), channels, hosts, current_host)


def _read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in ``path``; a missing file counts as an empty object."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ConfigurationError(f"input/config/{path.name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"input/config/{path.name} must contain a JSON object")
    return content


def _hosts(resources: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    hosts = resources.get("hosts", ["localhost"])
    if not isinstance(hosts, list) or not hosts or not all(isinstance(host, str) for host in hosts):
        raise ConfigurationError("input/config/resourceconfig.json must list the job's hosts")
    return tuple(hosts), str(resources.get("current_host", hosts[0]))


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
        # As in Hadoop and Spark, files with such names (_SUCCESS, .crc) are not data.
        if path.is_file() and not path.name.startswith((".", "_"))
    )
    if not files:
        raise DataError(f"the channel {channel!r} has no file")
    return files


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
