"""Each Lambda function: size of its bundle, and time to import its handler, compared with ``import boto3`` alone."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

from mlops_constructs._payload import function_archive
from synth_benchmark.numbers import median, ratios
from synth_benchmark.part import Result, Table, tell
from synth_benchmark.processes import ROOT, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from synth_benchmark.numbers import Target

BOTO3 = "boto3"
# Fast enough for more rounds than the other parts.
_TIMES = 2


def measure(work: Path, rounds: int) -> Result:
    """Unpack each bundle as Lambda does; import every handler in turns, each in a new process."""
    functions = {path.parent.name: {} for path in sorted((ROOT / "lambdas").glob("*/handler.py"))}
    for name, about in functions.items():
        bundle = function_archive(name).path
        about["bytes"] = bundle.stat().st_size
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(work / name)
    _import_seconds(work, "boto3", write_byte_code=True)
    found: dict[str, list[float]] = {name: [] for name in (BOTO3, *functions)}
    for _ in range(rounds * _TIMES):
        for name, times in found.items():
            times.append(_import_seconds(work, name if name == BOTO3 else f"{name}.handler"))
    for name, times in found.items():
        tell("lambdas:", name, median(times), "s")
    return {"bytes": {name: about["bytes"] for name, about in functions.items()}, "seconds": found}


def table(result: Result) -> Table:
    """One row per function."""
    seconds: dict[str, list[float]] = result["seconds"]
    rows = []
    for name, found in seconds.items():
        size = result["bytes"].get(name)
        ratio = median(ratios(found, seconds[BOTO3]))
        size_text = "" if size is None else f"{size / 1024:.1f} KiB"
        rows.append((name if size else f"import {name}", size_text, f"{median(found):.3f} s", f"{ratio:.2f}x"))
    return Table(
        "Lambda functions",
        ("function", "bundle", "import", "against import boto3"),
        rows,
        ["As in Lambda, the function's own modules have no byte code, and boto3 has byte code."],
    )


def targets(_result: Result) -> list[Target]:
    """There are no targets: the numbers are only shown."""
    return []


def _import_seconds(work: Path, module: str, *, write_byte_code: bool = False) -> float:
    folder = work / module.partition(".")[0]
    more = {"PYTHONPATH": str(folder), "AWS_DEFAULT_REGION": "us-east-1"}
    if not write_byte_code:
        more["PYTHONDONTWRITEBYTECODE"] = "1"
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    return round(float(run([sys.executable, "-c", code], environment(work, **more))), 4)
