"""The algorithm: the only file to edit.

``train`` and ``serve`` call the functions of this module. The example tells handwritten digits apart. Its data are
pictures in a folder for each class: ``train/7/01.png``. A request is a picture (``image/png``, ``image/jpeg``), or CSV
with a picture in base64 in each line, as the golden records have it.

Raise ``DataError`` for training data that cannot be used, and ``InputError`` for records that cannot be predicted: the
person who sent them sees the message. ``print`` writes to the job's log.
"""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from PIL import Image, UnidentifiedImageError
from sagemaker_contract import uncertainty
from sagemaker_contract.errors import DataError, InputError, RequestError
from sagemaker_contract.tables import Table, check_classes, check_same_shape, hold_out
from sklearn.metrics import accuracy_score, f1_score
from sklearn.svm import SVC

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sagemaker_contract.training.run import Run

MODEL_FILE = "model.joblib"
# Width and height that every picture is scaled to.
SIZE = (8, 8)
MAX_PIXELS = 16_000_000
SUFFIXES = (".png", ".jpg", ".jpeg")
PICTURES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Hyperparameters:
    """The hyperparameters that a training job may set; an unknown name or an invalid value fails the job.

    Attributes:
        C: Inverse of the strength of the regularization.
        random_state: Seed of the choice of held-out pictures.
        validation_fraction: Share of ``train`` that is held out if there is no ``validation`` channel.
    """

    C: float = 10.0
    random_state: int = 42
    validation_fraction: float = 0.2

    def __post_init__(self) -> None:
        if self.C <= 0:
            raise ValueError(f"C must be greater than 0, got {self.C}")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must be between 0 and 1, got {self.validation_fraction}")


def load_data(channels: Mapping[str, Sequence[Path]], hyperparameters: Hyperparameters) -> tuple[Table, Table]:
    """Read the pictures of each channel; return those for training and those for validation.

    Raises:
        DataError: If the data cannot be used; the message names the file.
    """
    train = read_pictures("train", channels["train"])
    check_classes(train)
    if "validation" not in channels:
        train, validation = hold_out(train, hyperparameters.validation_fraction, hyperparameters.random_state)
        print(f"no validation channel: {len(validation)} pictures held out of train, {len(train)} left, by class")
        return train, validation
    validation = read_pictures("validation", channels["validation"])
    check_same_shape(train, validation)
    return train, validation


def read_pictures(channel: str, files: Sequence[Path]) -> Table:
    """Read pictures; the class of each is the name of its folder.

    Raises:
        DataError: For a file that is no picture, or is not in a folder of a class.
    """
    pictures = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not pictures:
        raise DataError(f"the channel {channel!r} has no {', '.join(SUFFIXES)} file among its {len(files)} files")
    features = []
    for file in pictures:
        if file.parent.name == channel:
            raise DataError(f"{file.name} is not in the folder of a class, such as {channel}/7/{file.name}")
        try:
            features.append(pixels(file.read_bytes()))
        except ValueError as error:
            raise DataError(f"{file.parent.name}/{file.name}: {error}") from None
    return Table(channel, np.array(features), np.array([file.parent.name for file in pictures]))


def pixels(content: bytes) -> NDArray[np.float64]:
    """The gray values of a picture of any size, 0 to 1.

    Raises:
        ValueError: If it is not a picture.
    """
    try:
        picture = Image.open(io.BytesIO(content), formats=["PNG", "JPEG"])
        if picture.width * picture.height > MAX_PIXELS:
            raise ValueError(
                f"the picture has {picture.width} x {picture.height} pixels, at most {MAX_PIXELS} are read"
            )
        scaled = picture.convert("L").resize(SIZE)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"not a PNG or JPEG picture ({error})") from None
    return np.asarray(scaled, dtype=np.float64).reshape(-1) / 255


def train(data: Table, hyperparameters: Hyperparameters, run: Run) -> SVC:
    """Fit the model."""
    return SVC(C=hyperparameters.C).fit(data.features, data.labels)


def metrics(model: SVC, data: Table) -> dict[str, float]:
    """Evaluate the model; each metric is reported as ``train:<name>`` and ``validation:<name>``."""
    predicted = model.predict(data.features)
    return {
        "accuracy": (accuracy := float(accuracy_score(data.labels, predicted))),
        "accuracy_se": uncertainty.of_share(accuracy, len(data)),
        "f1": float(f1_score(data.labels, predicted, average="macro")),
    }


def input_fn(input_data: bytes | str, content_type: str) -> NDArray[np.float64]:
    """The pictures of a request, as rows of pixels. This is a function of sagemaker-inference, see README.md.

    Raises:
        RequestError: 415 for another content type, 400 for a body that is no picture.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind in PICTURES and isinstance(input_data, bytes):
            return pixels(input_data)[None, :]
        if kind == "text/csv":
            text = input_data.decode() if isinstance(input_data, bytes) else input_data
            lines = [line.strip().strip('"') for line in text.splitlines() if line.strip()]
            if lines:
                return np.array([pixels(base64.b64decode(line, validate=True)) for line in lines])
            raise InputError("there are no records")
    except (ValueError, binascii.Error) as error:
        raise InputError(f"the body cannot be read: {error}") from None
    raise RequestError(415, f"cannot read {kind}; send one of {', '.join(PICTURES)}, or text/csv with base64")


def predict(model: SVC, records: NDArray[np.float64]) -> list[Any]:
    """Return one prediction per picture."""
    predictions: list[Any] = model.predict(records).tolist()
    return predictions


def save(model: SVC, directory: Path) -> None:
    """Write the model into ``directory``, as the final model (it becomes model.tar.gz) or as a checkpoint."""
    joblib.dump(model, directory / MODEL_FILE)


def load(directory: Path) -> SVC:
    """Read the files that ``save`` wrote; an exception stops the server, and its message is logged."""
    model = joblib.load(directory / MODEL_FILE)
    if not isinstance(model, SVC):
        raise TypeError(f"{MODEL_FILE} contains a {type(model).__name__}, not an SVC")
    return model
