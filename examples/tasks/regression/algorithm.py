"""The algorithm: the only file to edit.

``train`` and ``serve`` call the functions of this module. The example is a random forest that predicts a number, the
progression of diabetes after a year. Its data is CSV without a header line, JSON Lines or Parquet: the number first,
then the measurements.

Raise ``DataError`` for training data that cannot be used, and ``InputError`` for records that cannot be predicted: the
person who sent them sees the message. ``print`` writes to the job's log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from sagemaker_contract import uncertainty
from sagemaker_contract.acceleration.convert import onnx_from_sklearn
from sagemaker_contract.errors import InputError
from sagemaker_contract.tables import Table, check_classes, check_same_shape, hold_out, read_labelled
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sagemaker_contract.training.run import Run

MODEL_FILE = "model.joblib"
TREES_AT_A_TIME = 20


@dataclass(frozen=True)
class Hyperparameters:
    """The hyperparameters that a training job may set; an unknown name or an invalid value fails the job.

    Attributes:
        n_estimators: Trees in the forest.
        max_depth: Maximum number of levels of a tree; with ``None`` each grows until its leaves are pure.
        min_samples_leaf: Minimum number of rows in a leaf.
        n_jobs: Number of trees grown at the same time; -1 uses every CPU of the instance.
        random_state: Seed of the forest and of the choice of held-out rows.
        validation_fraction: Share of ``train`` that is held out if there is no ``validation`` channel.
    """

    n_estimators: int = 120
    max_depth: int | None = None
    min_samples_leaf: int = 5
    n_jobs: int = 1
    random_state: int = 42
    validation_fraction: float = 0.2

    def __post_init__(self) -> None:
        if self.n_estimators < 1:
            raise ValueError(f"n_estimators must be at least 1, got {self.n_estimators}")
        if self.max_depth is not None and self.max_depth < 1:
            raise ValueError(f"max_depth must be at least 1, or none, got {self.max_depth}")
        if self.min_samples_leaf < 1:
            raise ValueError(f"min_samples_leaf must be at least 1, got {self.min_samples_leaf}")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, got {self.validation_fraction}")


def load_data(channels: Mapping[str, Sequence[Path]], hyperparameters: Hyperparameters) -> tuple[Table, Table]:
    """Read the files of each channel; return the rows for training and the rows for validation.

    Raises:
        DataError: If the data cannot be used; the message names file, line and column.
    """
    train = read_labelled("train", channels["train"], numbers=True)
    check_classes(train)
    if "validation" not in channels:
        train, validation = hold_out(train, hyperparameters.validation_fraction, hyperparameters.random_state)
        print(f"no validation channel: {len(validation)} rows held out of train, {len(train)} left, at random")
        return train, validation
    validation = read_labelled("validation", channels["validation"], numbers=True)
    check_same_shape(train, validation)
    return train, validation


def train(data: Table, hyperparameters: Hyperparameters, run: Run) -> RandomForestRegressor:
    """Fit the model; continue from ``run.checkpoint`` if there is one.

    When ``run.stop_requested()`` becomes true, return the model trained so far soon.
    """
    forest: RandomForestRegressor = run.checkpoint or RandomForestRegressor(
        max_depth=hyperparameters.max_depth,
        min_samples_leaf=hyperparameters.min_samples_leaf,
        n_jobs=hyperparameters.n_jobs,
        random_state=hyperparameters.random_state,
        warm_start=True,
    )
    trees = len(forest.estimators_) if run.checkpoint else 0
    while trees < hyperparameters.n_estimators and not (trees and run.stop_requested()):
        trees = min(trees + TREES_AT_A_TIME, hyperparameters.n_estimators)
        forest.set_params(n_estimators=trees).fit(data.features, data.labels)
        print(f"{trees} of {hyperparameters.n_estimators} trees", flush=True)
        run.save_checkpoint(forest)
    return forest


def metrics(model: RandomForestRegressor, data: Table) -> dict[str, float]:
    """Evaluate the model; each metric is reported as ``train:<name>`` and ``validation:<name>``."""
    predicted = model.predict(data.features)
    errors = data.labels - predicted
    return {
        "rmse": float(mean_squared_error(data.labels, predicted) ** 0.5),
        "rmse_se": uncertainty.of_root_mean_square(errors),
        "mae": float(mean_absolute_error(data.labels, predicted)),
        "mae_se": uncertainty.of_mean(np.abs(errors)),
        "r2": float(r2_score(data.labels, predicted)),
    }


def predict(model: RandomForestRegressor, records: NDArray[np.float64]) -> list[Any]:
    """Return one prediction per record.

    ``records`` has one row per record, from one or several requests. All values are finite.

    Raises:
        InputError: If the records do not have as many values as the training data has features.
    """
    if records.shape[1] != model.n_features_in_:
        raise InputError(f"each record needs {model.n_features_in_} values, got {records.shape[1]}")
    if np.abs(records).max() > np.finfo(np.float32).max:
        raise InputError("a value is too large for the model (beyond 32-bit floating point)")
    # forest.predict sets up a parallel job at every call. For one row this costs twenty times as much as the trees.
    features = records.astype(np.float32)
    total = sum(tree.tree_.predict(features)[:, 0] for tree in model.estimators_)
    predictions: list[Any] = (total / len(model.estimators_)).tolist()
    return predictions


def to_onnx(model: RandomForestRegressor) -> bytes | None:
    """Return the same model as ONNX, which ``serve`` uses where it is faster; delete this to always use ``predict``.

    ``train`` compares the two on held-out and random records. If a single prediction differs, ONNX is not used.
    """
    return onnx_from_sklearn(model)


def save(model: RandomForestRegressor, directory: Path) -> None:
    """Write the model into ``directory``, as the final model (it becomes model.tar.gz) or as a checkpoint."""
    joblib.dump(model, directory / MODEL_FILE)


def load(directory: Path) -> RandomForestRegressor:
    """Read the files that ``save`` wrote; an exception stops the server, and its message is logged."""
    model = joblib.load(directory / MODEL_FILE)
    if not isinstance(model, RandomForestRegressor):
        raise TypeError(f"{MODEL_FILE} contains a {type(model).__name__}, not a RandomForestRegressor")
    return model
