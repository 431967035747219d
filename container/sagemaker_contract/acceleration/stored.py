"""What ``serve`` finds beside a model: the sample to warm up with, and the ONNX form, if it may be used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.acceleration import CHECK, FOLDER, MODEL, SAMPLE
from sagemaker_contract.acceleration.check import algorithm_hash, file_hashes, same
from sagemaker_contract.acceleration.session import OnnxModel
from sagemaker_contract.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_contract.acceleration.session import Predict
    from sagemaker_contract.formats.records import Records


@dataclass(frozen=True)
class Accelerated:
    """An ONNX form that was checked; ``most_rows`` is how many records a call it is the faster one for."""

    model: OnnxModel
    most_rows: int
    original: Predict

    def predict(self, records: Records) -> list[Any]:
        """Answer as the original does, faster where that is possible."""
        if len(records) > self.most_rows:
            return self.original(records)
        return self.model.predict_like(self.original, records)


class NotUsableError(Exception):
    """The ONNX form is not used; the text says why."""


def read_sample(directory: Path) -> Records | None:
    """Records to warm up with; ``None`` for a model that another program trained.

    Raises:
        ModelError: When the file is there and is not what ``train`` wrote.
    """
    path = directory / FOLDER / SAMPLE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        return np.array(content["records"], dtype=np.float64).reshape(-1, content["columns"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{FOLDER}/{SAMPLE} of the model is corrupt: {error}") from error


def is_of_this_algorithm(directory: Path) -> bool:
    """Whether there is an ONNX form that was checked with algorithm.py as it is; what else may be wrong shows later."""
    try:
        check = json.loads((directory / FOLDER / CHECK).read_bytes())
        return bool(check["algorithm"] == algorithm_hash())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_accelerated(directory: Path, sample: Records | None, predict: Predict) -> Accelerated:
    """Load the ONNX form of the model that ``predict`` asks.

    Raises:
        NotUsableError: When there is none, or it is not the form that was checked with exactly this model.
    """
    folder = directory / FOLDER
    if sample is None or not (folder / CHECK).is_file():
        raise NotUsableError("the model has no checked ONNX form")
    try:
        check = json.loads((folder / CHECK).read_bytes())
        if check["algorithm"] != algorithm_hash():
            raise NotUsableError("algorithm.py is not the one that ONNX was checked with")
        if check["files"] != file_hashes(directory):
            raise NotUsableError("the model's files are not those that ONNX was checked with")
        model = OnnxModel((folder / MODEL).read_bytes(), check["output"])
        if not same(model.predict_like(predict, sample), check["answers"]):
            raise NotUsableError("on this machine ONNX answers differently from when it was checked")
        return Accelerated(model, int(check["most_rows"]), predict)
    except NotUsableError:
        raise
    except Exception as error:
        # Whatever is wrong with the faster form, the model itself can still answer.
        raise NotUsableError(f"{type(error).__name__}: {error}") from error
