"""An ONNX model that answers like the algorithm's ``predict``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_contract.formats.records import Records

_NUMBER_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}


class OnnxModel:
    """Runs one output of an ONNX model with one input of rows x columns."""

    def __init__(self, content: bytes, output: str | None = None) -> None:
        """``output`` is the name of what to answer with; the first output unless given."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # The workers share the processors already; serve sets this when it sizes them.
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        (records,) = self._session.get_inputs()
        self._input = records.name
        self._type = _NUMBER_TYPES[records.type]
        self.outputs: list[str] = [node.name for node in self._session.get_outputs()]
        self._output = [output or self.outputs[0]]

    def predict(self, records: Records) -> list[Any]:
        """One answer a record.

        Raises:
            InputError: For a value beyond the model's number type.
        """
        features: NDArray[Any] = records
        if self._type is np.float32:
            with np.errstate(over="ignore"):
                features = records.astype(np.float32)
            if not np.isfinite(features).all():
                raise InputError("a value is too large for the model (beyond 32-bit floating point)")
        (answers,) = self._session.run(self._output, {self._input: features})
        if answers.ndim == 2 and answers.shape[1] == 1:
            answers = answers[:, 0]
        return list(answers.tolist())
