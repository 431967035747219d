"""The algorithm: the only file to edit.

``train`` and ``serve`` call the functions of this module. The example is a random forest on the iris flowers. Its data
is CSV without a header line, JSON Lines or Parquet: the label first, then the measurements.

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
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

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
    min_samples_leaf: int = 1
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
    train = read_labelled("train", channels["train"])
    check_classes(train)
    if "validation" not in channels:
        train, validation = hold_out(train, hyperparameters.validation_fraction, hyperparameters.random_state)
        print(f"no validation channel: {len(validation)} rows held out of train, {len(train)} left, by class")
        return train, validation
    validation = read_labelled("validation", channels["validation"])
    check_same_shape(train, validation)
    return train, validation


def train(data: Table, hyperparameters: Hyperparameters, run: Run) -> RandomForestClassifier:
    """Fit the model; continue from ``run.checkpoint`` if there is one.

    When ``run.stop_requested()`` becomes true, return the model trained so far soon.
    """
    forest: RandomForestClassifier = run.checkpoint or RandomForestClassifier(
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


def metrics(model: RandomForestClassifier, data: Table) -> dict[str, float]:
    """Evaluate the model; each metric is reported as ``train:<name>`` and ``validation:<name>``."""
    probabilities = model.predict_proba(data.features)
    predicted = model.classes_[probabilities.argmax(axis=1)]
    found = {
        "accuracy": (accuracy := accuracy_score(data.labels, predicted)),
        "accuracy_se": uncertainty.of_share(accuracy, len(data)),
        "f1": f1_score(data.labels, predicted, average="macro"),
        "log_loss": log_loss(data.labels, probabilities, labels=model.classes_),
    }
    # The area under the ROC curve, where there are two classes and rows of both.
    if len(model.classes_) == len(set(data.labels)) == 2:
        found["auc"] = roc_auc_score(data.labels == model.classes_[1], probabilities[:, 1])
    return {name: float(value) for name, value in found.items()}


def predict(model: RandomForestClassifier, records: NDArray[np.float64]) -> list[Any]:
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
    votes = sum(tree.tree_.predict(features) for tree in model.estimators_)
    # All predictions of a class are one text: a million texts of their own would take 60 MB.
    classes = model.classes_.tolist()
    return [classes[best] for best in votes.argmax(axis=1).tolist()]


def to_onnx(model: RandomForestClassifier) -> bytes | None:
    """Return the same model as ONNX, which ``serve`` uses where it is faster; delete this to always use ``predict``.

    ``train`` compares the two on held-out and random records. If a single prediction differs, ONNX is not used.
    """
    return onnx_from_sklearn(model)


def save(model: RandomForestClassifier, directory: Path) -> None:
    """Write the model into ``directory``, as the final model (it becomes model.tar.gz) or as a checkpoint."""
    joblib.dump(model, directory / MODEL_FILE)


def load(directory: Path) -> RandomForestClassifier:
    """Read the files that ``save`` wrote; an exception stops the server, and its message is logged."""
    model = joblib.load(directory / MODEL_FILE)
    if not isinstance(model, RandomForestClassifier):
        raise TypeError(f"{MODEL_FILE} contains a {type(model).__name__}, not a RandomForestClassifier")
    return model
