"""Checkpoints of the training, in the folder that SageMaker copies to S3 while the job runs."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

from sagemaker_contract.acceleration.check import file_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_LABEL = "checkpoint.json"
_KEPT = 2


def fingerprint(hyperparameters: Any, channels: Mapping[str, list[Path]]) -> str:
    """Hash of hyperparameters and data; a job continues only from a checkpoint with the same hash."""
    digest = hashlib.sha256(repr(hyperparameters).encode())
    for name, files in sorted(channels.items()):
        for file in files:
            digest.update(f"\0{name}\0{file.name}\0".encode())
            with file.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
    return digest.hexdigest()


class Checkpoints:
    """The checkpoints of one job, one folder each; a checkpoint is complete once its ``checkpoint.json`` is written."""

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        save: Callable[[Any, Path], None],
        load: Callable[[Path], Any],
    ) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._save = save
        self._load = load

    def latest(self) -> Any | None:
        """Load the model of the newest complete checkpoint of this job; ``None`` if there is none."""
        for folder in reversed(self._folders()):
            problem = self._problem(folder)
            if problem is None:
                model = self._load(folder / "model")
                print(f"continuing from {folder.name}", flush=True)
                return model
            print(f"{folder.name} is not used: {problem}", flush=True)
        return None

    def write(self, model: Any) -> None:
        """Write a checkpoint, then delete all but the newest two."""
        folders = self._folders()
        number = int(folders[-1].name.partition("-")[2]) + 1 if folders else 1
        folder = self._folder / f"checkpoint-{number:06}"
        (folder / "model").mkdir(parents=True)
        self._save(model, folder / "model")
        label = {"fingerprint": self._fingerprint, "files": file_hashes(folder / "model")}
        (folder / _LABEL).write_text(json.dumps(label), encoding="utf-8")
        print(f"{folder.name} written", flush=True)
        for old in folders[: 1 - _KEPT or None]:
            shutil.rmtree(old)

    def _folders(self) -> list[Path]:
        found = (path for path in self._folder.glob("checkpoint-*") if path.name[11:].isdecimal())
        return sorted(found, key=lambda path: int(path.name[11:]))

    def _problem(self, folder: Path) -> str | None:
        """Return why a checkpoint cannot be used: its copy may be incomplete, or it may belong to another job."""
        try:
            label = json.loads((folder / _LABEL).read_bytes())
            if label["fingerprint"] != self._fingerprint:
                return "it was made with other data or other hyperparameters"
            if label["files"] != file_hashes(folder / "model"):
                return "its files are incomplete"
        except (OSError, ValueError, KeyError, TypeError):
            return "it is incomplete"
        return None
