"""The algorithm: the only file to edit.

``train`` and ``serve`` call the functions of this module. The example chooses the team that answers a message, by its
text, its channel and the number of the customer's orders: columns of text, of categories and of numbers.

Raise ``DataError`` for training data that cannot be used, and ``InputError`` for records that cannot be predicted: the
person who sent them sees the message. ``print`` writes to the job's log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from sagemaker_contract import uncertainty
from sagemaker_contract.errors import DataError
from sagemaker_contract.frame_files import read_frame
from sagemaker_contract.frames import NUMBER, TEXT
from sagemaker_contract.tables import check_classes, check_same_shape, hold_out
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.preprocessing import OneHotEncoder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sagemaker_contract.frames import Frame
    from sagemaker_contract.training.run import Run

MODEL_FILE = "model.joblib"
# A column of text is one of categories if it has at most as many different values; all others have free text.
MAX_CATEGORIES = 20


@dataclass(frozen=True)
class Hyperparameters:
    """The hyperparameters that a training job may set; an unknown name or an invalid value fails the job.

    Attributes:
        C: Inverse of the strength of the regularization.
        max_iter: Maximum number of iterations.
        random_state: Seed of the choice of held-out rows.
        validation_fraction: Share of ``train`` that is held out if there is no ``validation`` channel.
    """

    C: float = 10.0
    max_iter: int = 1000
    random_state: int = 42
    validation_fraction: float = 0.2

    def __post_init__(self) -> None:
        if self.C <= 0:
            raise ValueError(f"C must be greater than 0, got {self.C}")
        if self.max_iter < 1:
            raise ValueError(f"max_iter must be at least 1, got {self.max_iter}")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, got {self.validation_fraction}")


@dataclass
class Model:
    """How each column becomes numbers, and the classifier of these."""

    vectorizers: dict[str, TfidfVectorizer]
    categories: dict[str, OneHotEncoder]
    classifier: LogisticRegression

    def features(self, records: Frame) -> csr_matrix:
        """Rows x features; a missing number counts as 0, an unknown category as none of the known ones."""
        parts = [csr_matrix(np.nan_to_num(np.log1p(np.abs(records.numbers()))))]
        parts += [encoder.transform(records.column(name)[:, None]) for name, encoder in self.categories.items()]
        parts += [vectorizer.transform(records.column(name)) for name, vectorizer in self.vectorizers.items()]
        return csr_matrix(hstack(parts))


def load_data(channels: Mapping[str, Sequence[Path]], hyperparameters: Hyperparameters) -> tuple[Frame, Frame]:
    """Read the files of each channel; return the rows for training and the rows for validation.

    Raises:
        DataError: If the data cannot be used; the message names file, line and column.
    """
    train = read_frame("train", channels["train"])
    check_classes(train)
    if "validation" not in channels:
        train, validation = hold_out(train, hyperparameters.validation_fraction, hyperparameters.random_state)
        print(f"no validation channel: {len(validation)} rows held out of train, {len(train)} left, by class")
        return train, validation
    validation = read_frame("validation", channels["validation"], like=train)
    check_same_shape(train, validation)
    return train, validation


def train(data: Frame, hyperparameters: Hyperparameters, run: Run) -> Model:
    """Fit the model."""
    texts = [field.name for field in data.fields if field.kind == TEXT]
    if not texts:
        raise DataError("there is no column of text; for numbers alone, use mlops init --task classification")
    of_categories = [name for name in texts if len(set(data.column(name))) <= MAX_CATEGORIES]
    numbers = [field.name for field in data.fields if field.kind == NUMBER]
    print(f"categories: {of_categories}, free text: {sorted({*texts} - {*of_categories})}, numbers: {numbers}")
    model = Model(
        {
            name: TfidfVectorizer(ngram_range=(1, 2)).fit(data.column(name))
            for name in texts
            if name not in of_categories
        },
        {
            name: OneHotEncoder(handle_unknown="ignore").fit(data.column(name)[:, None].astype(str))
            for name in of_categories
        },
        LogisticRegression(C=hyperparameters.C, max_iter=hyperparameters.max_iter),
    )
    model.classifier.fit(model.features(data), data.labels)
    return model


def metrics(model: Model, data: Frame) -> dict[str, float]:
    """Evaluate the model; each metric is reported as ``train:<name>`` and ``validation:<name>``."""
    probabilities = model.classifier.predict_proba(model.features(data))
    predicted = model.classifier.classes_[probabilities.argmax(axis=1)]
    return {
        "accuracy": (accuracy := float(accuracy_score(data.labels, predicted))),
        "accuracy_se": uncertainty.of_share(accuracy, len(data)),
        "f1": float(f1_score(data.labels, predicted, average="macro")),
        "log_loss": float(log_loss(data.labels, probabilities, labels=model.classifier.classes_)),
    }


def predict(model: Model, records: Frame) -> list[Any]:
    """Return one prediction per record.

    ``records`` has the columns of the training data, from one or several requests.
    """
    predictions: list[Any] = model.classifier.predict(model.features(records)).tolist()
    return predictions


def save(model: Model, directory: Path) -> None:
    """Write the model into ``directory``, as the final model (it becomes model.tar.gz) or as a checkpoint."""
    joblib.dump(model, directory / MODEL_FILE)


def load(directory: Path) -> Model:
    """Read the files that ``save`` wrote; an exception stops the server, and its message is logged."""
    model = joblib.load(directory / MODEL_FILE)
    if not isinstance(model, Model):
        raise TypeError(f"{MODEL_FILE} contains a {type(model).__name__}, not a Model")
    return model
