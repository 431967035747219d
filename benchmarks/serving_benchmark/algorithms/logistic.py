"""Logistic regression in the container's form, for the benchmark: `predict` is scikit-learn's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib
from sagemaker_contract.acceleration.convert import onnx_from_sklearn
from sagemaker_contract.tables import Table, hold_out, read_labelled
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sagemaker_contract.training.run import Run


@dataclass(frozen=True)
class Hyperparameters:
    """None: the defaults are used."""


def load_data(channels: Mapping[str, Sequence[Path]], _hyperparameters: Hyperparameters) -> tuple[Table, Table]:
    """Read the single channel, and hold out some rows."""
    return hold_out(read_labelled("train", channels["train"]), 0.2, 0)


def train(data: Table, _hyperparameters: Hyperparameters, _run: Run) -> LogisticRegression:
    """Fit the model."""
    return LogisticRegression(max_iter=1000).fit(data.features, data.labels)


def metrics(model: LogisticRegression, data: Table) -> dict[str, float]:
    """Evaluate the model."""
    return {"accuracy": float(model.score(data.features, data.labels))}


def predict(model: LogisticRegression, records: NDArray[Any]) -> list[Any]:
    """Return one prediction per record."""
    return list(model.predict(records).tolist())


def to_onnx(model: LogisticRegression) -> bytes | None:
    """Return the same model as ONNX."""
    return onnx_from_sklearn(model)


def save(model: LogisticRegression, directory: Path) -> None:
    """Write the model."""
    joblib.dump(model, directory / "model.joblib")


def load(directory: Path) -> Any:
    """Read the model."""
    return joblib.load(directory / "model.joblib")
