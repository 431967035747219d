"""The paths that SageMaker uses in the container."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """The folders and files of SageMaker's container contract, below ``base``."""

    base: Path

    @classmethod
    def from_env(cls) -> Paths:
        """Use ``SAGEMAKER_BASE_DIR``, or ``/opt/ml`` if it is not set."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"))

    @property
    def config(self) -> Path:
        return self.base / "input" / "config"

    @property
    def data(self) -> Path:
        return self.base / "input" / "data"

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def checkpoints(self) -> Path:
        return self.base / "checkpoints"

    @property
    def models(self) -> Path:
        """Where a multi-model endpoint keeps its models."""
        return self.base / "models"

    @property
    def evaluation(self) -> Path:
        return self.base / "output" / "data" / "evaluation.json"

    @property
    def failure(self) -> Path:
        return self.base / "output" / "failure"
