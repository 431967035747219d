"""The end of a job: write the files beside the model with which ``serve`` predicts faster."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.acceleration.budget import OutOfTimeError
from sagemaker_contract.acceleration.check import NotTheSameError, checked, write_sample
from sagemaker_contract.frames import Frame, write_fields
from sagemaker_contract.interface import has_hooks

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_contract.acceleration.budget import Budget
    from sagemaker_contract.acceleration.check import Checked
    from sagemaker_contract.formats.records import Records
    from sagemaker_contract.interface import Algorithm


def prepare_serving(algorithm: Algorithm, model: Any, held_out: Any, directory: Path, budget: Budget) -> None:
    """Write a sample of records, and the ONNX model if its predictions are the same; never fails the job."""
    if isinstance(held_out, Frame):
        write_fields(directory, held_out)
        print(f"serving: predict gets frames with the columns {', '.join(held_out.names)[:500]}; no ONNX", flush=True)
        return
    features = getattr(held_out, "features", None)
    if not isinstance(features, np.ndarray) or features.ndim != 2 or features.dtype.kind not in "fiu":
        print("serving: the held-out data has no array `features`; no warm-up, no ONNX", flush=True)
        return
    started = time.monotonic()
    try:
        write_sample(directory, features)
        said = _accelerate(algorithm, model, features.astype(np.float64), directory, budget)
    except NotTheSameError as error:
        said = f"ONNX is not used: {error}"
    except OutOfTimeError:
        said = f"ONNX is not used: to convert and compare it takes more than {budget.seconds:.1f} s of processor time"
    except Exception as error:
        traceback.print_exc()
        said = f"ONNX is not used: {type(error).__name__}: {error}"
    print(f"serving: {said} ({time.monotonic() - started:.1f} s)", flush=True)


def _accelerate(algorithm: Algorithm, model: Any, held_out: Records, directory: Path, budget: Budget) -> str:
    if has_hooks(algorithm):
        return "serve calls the functions of sagemaker-inference; no ONNX"
    to_onnx = getattr(algorithm, "to_onnx", None)
    if to_onnx is None:
        return "the algorithm has no ONNX model"
    limit = f"{budget.seconds:.1f} s of processor time"
    print(f"serving: converts the model to ONNX and compares it, in at most {limit}", flush=True)

    def work() -> Checked | None:
        content = to_onnx(model)
        if content is None:
            return None
        return checked(directory, content, lambda records: algorithm.predict(model, records), held_out, budget)

    found = budget.run(work)
    if found is None:
        return "the algorithm has no ONNX model"
    found.write(directory)
    return found.said
