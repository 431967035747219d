"""Compare the ONNX model with ``predict`` at the end of training. Only a verified ONNX model is used."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from sagemaker_contract.acceleration import CHECK, FOLDER, MODEL, SAMPLE
from sagemaker_contract.acceleration.session import OnnxModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sagemaker_contract.formats.records import Records

    Predict = Callable[[Records], list[Any]]

RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-6
_SAMPLE_ROWS = 16
_HELD_OUT_ROWS = 20_000
_RANDOM_ROWS = 20_000
_TURNS = 9
_CALL_SIZES = (1, 4, 16, 64, 256, 1024, 4096, 16_384)


class NotTheSameError(Exception):
    """The ONNX model is not used; the message says why."""


def write_sample(directory: Path, held_out: Records) -> None:
    """Write a few records with which ``serve`` warms up, and the number of values in a record."""
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    sample = {"columns": held_out.shape[1], "records": held_out[:_SAMPLE_ROWS].tolist()}
    (folder / SAMPLE).write_text(json.dumps(sample), encoding="utf-8")


def write_checked(directory: Path, content: bytes, predict: Predict, held_out: Records) -> str:
    """Compare the ONNX model with ``predict`` and write it beside the model; return a line for the log.

    Raises:
        NotTheSameError: If a prediction differs, or ONNX is slower even for a single record.
    """
    held_out = held_out[:_HELD_OUT_ROWS]
    probes = np.concatenate([held_out, _random_rows(held_out)])
    output = _agreeing_output(content, predict, probes, len(held_out))
    model = OnnxModel(content, output)
    most_rows = _fastest_up_to(lambda records: model.predict_like(predict, records), predict, held_out)
    if not most_rows:
        raise NotTheSameError("it is not faster than predict")
    check = {
        "output": output,
        "most_rows": most_rows,
        "algorithm": algorithm_hash(),
        "files": file_hashes(directory),
        "answers": predict(held_out[:_SAMPLE_ROWS]),
        "compared": {"held_out": len(held_out), "random": len(probes) - len(held_out)},
    }
    folder = directory / FOLDER
    (folder / MODEL).write_bytes(content)
    (folder / CHECK).write_text(json.dumps(check, indent=2) + "\n", encoding="utf-8")
    return (
        f"ONNX gives the same predictions on {len(held_out)} held-out and {len(probes) - len(held_out)} random "
        f"records; serve uses it up to {most_rows} records per call"
    )


def file_hashes(directory: Path) -> dict[str, str]:
    """SHA-256 of each file of the model, without those in ``serving/``."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    own = directory / FOLDER
    hashes = {}
    for file in files:
        if own not in file.parents:
            with file.open("rb") as stream:
                hashes[file.relative_to(directory).as_posix()] = _sha256(stream)
    return hashes


def algorithm_hash() -> str:
    """SHA-256 of algorithm.py, because the comparison is valid for this version of ``predict`` only."""
    spec = importlib.util.find_spec("algorithm")
    assert spec is not None
    assert spec.origin is not None
    with Path(spec.origin).open("rb") as stream:
        return _sha256(stream)


def same(given: Sequence[Any], wanted: Sequence[Any]) -> bool:
    """Whether predictions agree: floating-point numbers within a tolerance, everything else exactly."""
    if len(given) != len(wanted):
        return False
    one, other = np.array(given), np.array(wanted)
    if one.shape != other.shape:
        return False
    if one.dtype.kind == "f" or other.dtype.kind == "f":
        return bool(
            one.dtype.kind in "fiu"
            and other.dtype.kind in "fiu"
            and np.allclose(one, other, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE)
        )
    return bool((one == other).all())


def _agreeing_output(content: bytes, predict: Predict, probes: Records, held_out: int) -> str:
    """The first output that agrees with ``predict``, for many records in one call and for single records."""
    wanted = predict(probes)
    for name in OnnxModel(content).outputs:
        model = OnnxModel(content, name)
        alone = (probes[row : row + 1] for row in range(min(held_out, 200)))
        if same(model.predict_like(predict, probes), wanted) and all(
            same(model.predict_like(predict, record), wanted[row : row + 1]) for row, record in enumerate(alone)
        ):
            return name
    raise NotTheSameError(f"its predictions on {len(probes)} held-out and random records differ from those of predict")


def _random_rows(held_out: Records) -> NDArray[np.float64]:
    """Random records in the range of the held-out records, and 10% beyond it."""
    low, high = held_out.min(axis=0), held_out.max(axis=0)
    margin = (high - low) * 0.1
    return np.random.default_rng(0).uniform(low - margin, high + margin, (_RANDOM_ROWS, held_out.shape[1]))


def _fastest_up_to(accelerated: Predict, predict: Predict, held_out: Records) -> int:
    """The largest number of records per call for which ONNX is faster than ``predict``; 0 if there is none."""
    most = 0
    for rows in _CALL_SIZES:
        records = np.resize(held_out, (rows, held_out.shape[1]))
        # Alternate, and compare the shortest times: other load on the machine can only make a call longer.
        turns = [(_seconds(accelerated, records), _seconds(predict, records)) for _ in range(_TURNS)]
        if min(ours for ours, _ in turns) > min(theirs for _, theirs in turns):
            break
        most = rows
    return most


def _seconds(predict: Predict, records: Records) -> float:
    started = time.perf_counter()
    predict(records)
    return time.perf_counter() - started


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
