"""The last step of a job: what ``serve`` needs beside the model to answer fast."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.acceleration.check import NotTheSameError, write_checked, write_sample
from sagemaker_contract.interface import has_hooks

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_contract.formats.records import Records
    from sagemaker_contract.interface import Algorithm


def prepare_serving(algorithm: Algorithm, model: Any, held_out: Any, directory: Path) -> None:
    """Leave a sample of records, and the ONNX form when it gives the same answers; never fails the job."""
    features = getattr(held_out, "features", None)
    if not isinstance(features, np.ndarray) or features.ndim != 2 or features.dtype.kind not in "fiu":
        print("serving: the held-out data has no table `features`; no warm-up, no ONNX", flush=True)
        return
    started = time.monotonic()
    try:
        write_sample(directory, features)
        said = _accelerate(algorithm, model, features.astype(np.float64), directory)
    except NotTheSameError as error:
        said = f"ONNX is not used: {error}"
    except Exception as error:
        traceback.print_exc()
        said = f"ONNX is not used: {type(error).__name__}: {error}"
    print(f"serving: {said} ({time.monotonic() - started:.1f} s)", flush=True)


def _accelerate(algorithm: Algorithm, model: Any, held_out: Records, directory: Path) -> str:
    if has_hooks(algorithm):
        return "serve asks the functions of sagemaker-inference; no ONNX"
    to_onnx = getattr(algorithm, "to_onnx", None)
    content = to_onnx(model) if to_onnx else None
    if content is None:
        return "the algorithm gives no ONNX form"
    return write_checked(directory, content, lambda records: algorithm.predict(model, records), held_out)
