"""Run the parts one after another, and collect their measurements."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_benchmark import cold, growth, imports, lambdas, rehearsal, warm
from synth_benchmark.errors import BenchmarkError
from synth_benchmark.part import tell
from synth_benchmark.processes import node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_benchmark.part import Part

PARTS: dict[str, Part] = {
    "warm": warm,
    "cold": cold,
    "growth": growth,
    "import": imports,
    "lambdas": lambdas,
    "rehearsal": rehearsal,
}
# The rehearsal takes minutes.
DEFAULT = tuple(name for name in PARTS if name != "rehearsal")
# Parts of which a round takes half a minute or more, with the maximum number of rounds.
_SLOW = {"cold": 2, "growth": 2}


def collect(names: Sequence[str], rounds: int) -> dict[str, Any]:
    """Measure the parts; if one cannot run, keep the reason and continue with the others."""
    measured: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for name in names:
        count = min(rounds, _SLOW.get(name, rounds))
        try:
            with tempfile.TemporaryDirectory(prefix="bench-") as work:
                result = PARTS[name].measure(Path(work), count)
        except BenchmarkError as error:
            failed[name] = str(error)
            tell(f"{name}: {error}")
        else:
            measured[name] = {"machine": machine(), "rounds": count, "result": result}
    return {"parts": measured, "failed": failed}


def machine() -> dict[str, Any]:
    """Return the machine and the versions."""
    printed = subprocess.run([node(), "--version"], capture_output=True, text=True, check=False).stdout
    return {
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "node": printed.strip().removeprefix("v"),
        "cdktf": version("cdktf"),
        "cdktf-cdktf-provider-aws": version("cdktf-cdktf-provider-aws"),
    }
