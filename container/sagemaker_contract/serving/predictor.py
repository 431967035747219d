"""Calls ``predict`` of the algorithm, with a matrix of numbers or with a frame."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sagemaker_contract.attributes import AttributesScope
from sagemaker_contract.frames import Frame
from sagemaker_contract.interface import load_serving_module
from sagemaker_contract.serving.batching import Prediction

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_contract.acceleration.stored import Accelerated
    from sagemaker_contract.formats.records import Records
    from sagemaker_contract.frames import Field


class Predictor:
    """Calls ``predict`` of the algorithm, or the ONNX model if there is one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loading = threading.Lock()
        self._original: tuple[Any, Any] | None = None
        self.accelerated: Accelerated | None = None

    def complete(self) -> tuple[Any, Any]:
        """Return the algorithm and its model, loaded at the first call."""
        with self._loading:
            if self._original is None:
                algorithm = load_serving_module()
                self._original = (algorithm, algorithm.load(self._directory))
            return self._original

    def original(self, records: Records) -> list[Any]:
        algorithm, model = self._original or self.complete()
        return list(algorithm.predict(model, records))

    def __call__(self, records: Records, attributes: str) -> Prediction:
        if self.accelerated is not None:
            return Prediction(self.accelerated.predict(records))
        with AttributesScope(attributes) as scope:
            return Prediction(self.original(records), scope.answer)


class FramePredictor(Predictor):
    """Calls ``predict`` of an algorithm that was trained with a frame."""

    def __init__(self, directory: Path, fields: tuple[Field, ...]) -> None:
        super().__init__(directory)
        self._fields = fields

    def original(self, records: Any) -> list[Any]:
        algorithm, model = self._original or self.complete()
        return list(algorithm.predict(model, Frame.of_records(self._fields, records)))
