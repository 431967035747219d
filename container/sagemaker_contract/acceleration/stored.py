"""The files that ``serve`` reads beside a model: records to warm up, and the ONNX model, if it may be used."""

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
    """A verified ONNX model; it is faster than ``original`` for calls with up to ``most_rows`` records."""

    model: OnnxModel
    most_rows: int
    original: Predict

    def predict(self, records: Records) -> list[Any]:
        """Return the same predictions as the original, faster where possible."""
        if len(records) > self.most_rows:
            return self.original(records)
        return self.model.predict_like(self.original, records)


class NotUsableError(Exception):
    """The ONNX model is not used; the message says why."""


class AlteredModelError(NotUsableError):
    """The model's files are not those that ``train`` wrote."""


def read_sample(directory: Path) -> Records | None:
    """Records to warm up the model; ``None`` for a model that another program trained.

    Raises:
        ModelError: If the file exists and is not in the form that ``train`` writes.
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
    """Whether there is an ONNX model that was verified with the current algorithm.py; the rest is checked later."""
    try:
        check = json.loads((directory / FOLDER / CHECK).read_bytes())
        return bool(check["algorithm"] == algorithm_hash())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_accelerated(directory: Path, sample: Records | None, predict: Predict) -> Accelerated:
    """Load the ONNX model that corresponds to ``predict``.

    Raises:
        NotUsableError: If there is none, or it was not verified with exactly this model.
    """
    folder = directory / FOLDER
    if sample is None or not (folder / CHECK).is_file():
        raise NotUsableError("there is no verified ONNX model")
    try:
        check = json.loads((folder / CHECK).read_bytes())
        if check["algorithm"] != algorithm_hash():
            raise NotUsableError("algorithm.py has changed since the ONNX model was verified")
        if check["files"] != file_hashes(directory):
            raise AlteredModelError("the model's files have changed since the ONNX model was verified")
        model = OnnxModel((folder / MODEL).read_bytes(), check["output"])
        if not same(model.predict_like(predict, sample), check["answers"]):
            raise NotUsableError("on this machine ONNX predicts differently from when it was verified")
        return Accelerated(model, int(check["most_rows"]), predict)
    except NotUsableError:
        raise
    except Exception as error:
        # Whatever is wrong with the ONNX model, the original model can still predict.
        raise NotUsableError(f"{type(error).__name__}: {error}") from error
