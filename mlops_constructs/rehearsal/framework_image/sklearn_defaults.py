"""What AWS's image of scikit-learn does where a script has no function of its own.

https://github.com/aws/sagemaker-scikit-learn-container
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
from sagemaker_contract.errors import RequestError

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"


def input_fn(input_data: str | bytes, content_type: str) -> Any:
    """Read numbers; those of texts become 32-bit floats. One line of CSV becomes a one-dimensional array.

    Models of scikit-learn refuse such an array, in AWS too:
    https://github.com/aws/sagemaker-scikit-learn-container/issues/145
    """
    if content_type == NPY:
        return np.load(io.BytesIO(_bytes(input_data)), allow_pickle=False)
    if content_type not in (CSV, JSON):
        raise RequestError(415, f"the image reads {CSV}, {JSON} and {NPY}, not {content_type}")
    text = _bytes(input_data).decode()
    if content_type == JSON:
        return np.array(json.loads(text)).astype(np.float32)
    return np.array(list(csv.reader(io.StringIO(text), strict=True))).squeeze().astype(np.float32)


def predict_fn(data: Any, model: Any) -> Any:
    """Call the model."""
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> tuple[bytes | str, str]:
    """Write an array."""
    if accept == JSON:
        return json.dumps(prediction.tolist()), JSON
    stream = io.BytesIO()
    if accept == NPY:
        np.save(stream, prediction, allow_pickle=False)
    elif accept == CSV:
        np.savetxt(stream, prediction, delimiter=",", fmt="%s")
    else:
        raise RequestError(406, f"the image writes {CSV}, {JSON} and {NPY}, not {accept}")
    return stream.getvalue(), accept


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data
