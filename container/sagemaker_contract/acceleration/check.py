"""Compare the ONNX model with ``predict`` at the end of training. Only a verified ONNX model is used."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from sagemaker_contract.acceleration import CHECK, FOLDER, MODEL, SAMPLE
from sagemaker_contract.acceleration.budget import OutOfTimeError
from sagemaker_contract.acceleration.session import OnnxModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from sagemaker_contract.acceleration.budget import Budget
    from sagemaker_contract.formats.records import Records

    Predict = Callable[[Records], list[Any]]

RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-6
# Of the budget: for conversion and comparison, and until the last measurement starts.
_COMPARISON_SHARE = 0.75
_MEASURING_SHARE = 0.9
_SAMPLE_ROWS = 16
_FIRST_ROWS = 200
_ALONE = 200
_HELD_OUT_ROWS = 20_000
_RANDOM_ROWS = 20_000
_TURNS = 9
_CALL_SIZES = (1, 4, 16, 64, 256, 1024, 4096, 16_384)


class NotTheSameError(Exception):
    """The ONNX model is not used; the message says why."""


@dataclass(frozen=True)
class Compared:
    """How many records the comparison rests on; without ``is_whole`` its time was up before the last one."""

    held_out: int = 0
    random: int = 0
    is_whole: bool = True

    def __str__(self) -> str:
        limit = "" if self.is_whole else " (as many as the time allows)"
        return f"{self.held_out} held-out and {self.random} random records{limit}"


@dataclass(frozen=True)
class Checked:
    """An ONNX model that predicts the same, what ``serve`` must know about it, and a line for the log."""

    content: bytes
    check: Mapping[str, Any]
    said: str

    def write(self, directory: Path) -> None:
        """Write it beside the model."""
        folder = directory / FOLDER
        (folder / MODEL).write_bytes(self.content)
        (folder / CHECK).write_text(json.dumps(self.check, indent=2) + "\n", encoding="utf-8")


def write_sample(directory: Path, held_out: Records) -> None:
    """Write a few records with which ``serve`` warms up, and the number of values in a record."""
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    sample = {"columns": held_out.shape[1], "records": held_out[:_SAMPLE_ROWS].tolist()}
    (folder / SAMPLE).write_text(json.dumps(sample), encoding="utf-8")


def checked(directory: Path, content: bytes, predict: Predict, held_out: Records, budget: Budget) -> Checked:
    """Compare an ONNX model with ``predict``, for three quarters of the budget at most.

    Raises:
        NotTheSameError: If a prediction differs, or ONNX is slower even for a single record.
        OutOfTimeError: If the budget does not suffice for a comparison of a few records.
    """
    held_out = held_out[:_HELD_OUT_ROWS]
    model = OnnxModel(content)
    compared = _compare(model, predict, held_out, budget)
    most_rows = _fastest_up_to(lambda records: model.predict_like(predict, records), predict, held_out, budget)
    if not most_rows:
        raise NotTheSameError("it is not faster than predict")
    check = {
        "output": model.output,
        "most_rows": most_rows,
        "algorithm": algorithm_hash(),
        "files": file_hashes(directory),
        "answers": predict(held_out[:_SAMPLE_ROWS]),
        "compared": {"held_out": compared.held_out, "random": compared.random},
    }
    said = f"ONNX gives the same predictions on {compared}; serve uses it up to {most_rows} records per call"
    return Checked(content, check, said)


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


def _compare(model: OnnxModel, predict: Predict, held_out: Records, budget: Budget) -> Compared:
    """Choose the first output of the model that agrees with ``predict``, for many records in one call and for each."""
    random = _random_rows(held_out)
    outputs = list(model.outputs)
    done, rows = Compared(), _FIRST_ROWS
    while done.held_out < len(held_out) or done.random < len(random):
        if budget.is_used(_COMPARISON_SHARE):
            if not done.random:
                raise OutOfTimeError
            return replace(done, is_whole=False)
        parts = (held_out[done.held_out : done.held_out + rows], random[done.random : done.random + rows])
        records = np.concatenate(parts)
        wanted = predict(records)
        alone = range(min(len(parts[0]), _ALONE)) if not done.random else range(0)
        outputs = [name for name in outputs if _agrees(model.use(name), predict, records, wanted, alone)]
        if not outputs:
            count = done.held_out + done.random + len(records)
            raise NotTheSameError(
                f"its predictions on {count} held-out and random records differ from those of predict"
            )
        done = Compared(done.held_out + len(parts[0]), done.random + len(parts[1]))
        rows *= 2
    model.use(outputs[0])
    return done


def _agrees(model: OnnxModel, predict: Predict, records: Records, wanted: Sequence[Any], alone: Iterable[int]) -> bool:
    return same(model.predict_like(predict, records), wanted) and all(
        same(model.predict_like(predict, records[row : row + 1]), wanted[row : row + 1]) for row in alone
    )


def _random_rows(held_out: Records) -> NDArray[np.float64]:
    """Random records in the range of the held-out records, and 10% beyond it."""
    low, high = held_out.min(axis=0), held_out.max(axis=0)
    margin = (high - low) * 0.1
    return np.random.default_rng(0).uniform(low - margin, high + margin, (_RANDOM_ROWS, held_out.shape[1]))


def _fastest_up_to(accelerated: Predict, predict: Predict, held_out: Records, budget: Budget) -> int:
    """The largest number of records per call for which ONNX is faster than ``predict``; 0 if there is none."""
    most = 0
    for rows in _CALL_SIZES:
        if budget.is_used(_MEASURING_SHARE):
            if not most:
                raise OutOfTimeError
            break
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
