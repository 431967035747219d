"""An ONNX model that predicts like the algorithm's ``predict``.

ONNX and the original classifier add up the same probabilities, but round differently. If two classes are almost equally
probable, the rounding may decide the label. For those records ``predict`` of the algorithm is called.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sagemaker_contract.formats.records import Records

    Predict = Callable[[Records], list[Any]]

_NUMBER_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}


# The rounding errors of 32-bit sums of a thousand trees are smaller than this.
_CLOSE = 1e-4
_FEW_ROWS = 16


class OnnxModel:
    """Runs an ONNX model with one input of rows x columns."""

    def __init__(self, content: bytes, output: str | None = None) -> None:
        """``output`` is the name of the output with the predictions; by default the first one."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # The workers already share the processors; serve sets this variable when it starts them.
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        (records,) = self._session.get_inputs()
        self._input = records.name
        self._type = _NUMBER_TYPES[records.type]
        self._shapes = {node.name: node.shape for node in self._session.get_outputs()}
        self.outputs = list(self._shapes)
        self.use(output or self.outputs[0])

    @property
    def output(self) -> str:
        """Name of the output with the predictions."""
        return self._output[0]

    def use(self, output: str) -> OnnxModel:
        """Predict with another output from now on; return the model."""
        self._output = [output]
        is_label = len(self._shapes[output]) == 1 or self._shapes[output][1] == 1
        scores = [name for name in self.outputs if name != output and len(self._shapes[name]) == 2]
        self._scores = scores[:1] if is_label else []
        return self

    def predict(self, records: Records) -> list[Any]:
        """One prediction per record.

        Raises:
            InputError: If a value is out of the range of the model's number type.
        """
        (answers,) = self._run(self._output, records)
        return _as_list(answers)

    def predict_like(self, predict: Predict, records: Records) -> list[Any]:
        """One prediction per record; ``predict`` decides where two classes are almost equally probable.

        Raises:
            InputError: If a value is out of the range of the model's number type.
        """
        answers, *scores = self._run(self._output + self._scores, records)
        given = _as_list(answers)
        if scores and (close := _close_calls(scores[0])) is not None:
            for row, answer in zip(close, predict(records[close]), strict=True):
                given[row] = answer
        return given

    def _run(self, outputs: list[str], records: Records) -> list[NDArray[Any]]:
        features: NDArray[Any] = records
        if self._type is np.float32:
            try:
                with np.errstate(over="raise"):
                    features = records.astype(np.float32)
            except FloatingPointError:
                raise InputError("a value is too large for the model (beyond 32-bit floating point)") from None
        given: list[NDArray[Any]] = self._session.run(outputs, {self._input: features})
        return given


def _as_list(answers: NDArray[Any]) -> list[Any]:
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    return list(answers.tolist())


def _close_calls(scores: NDArray[Any]) -> NDArray[np.intp] | None:
    """The rows whose two best scores are almost equal."""
    # Usually one class has more than half, and nothing else has to be compared. For few rows plain Python is faster.
    few = len(scores) <= _FEW_ROWS
    lowest = min(map(max, scores.tolist())) if few else scores.max(axis=1).min()
    if lowest > 0.5 + _CLOSE or scores.shape[1] == 1:
        return None
    best = np.partition(scores, -2, axis=1)[:, -2:]
    close = np.flatnonzero(best[:, 1] - best[:, 0] < _CLOSE)
    return close if len(close) else None
