"""Compare; print ratios and targets, and write all numbers as JSON. README.md in this folder says what it needs."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from serving_benchmark.comparison import Comparison
from serving_benchmark.environments import BenchmarkError
from serving_benchmark.report import lines
from serving_benchmark.trained import NAMES


def main() -> int:
    """Run the comparison; the exit code is 1 if it cannot run."""
    parser = argparse.ArgumentParser(prog="serving_benchmark", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="duration of one load")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is loaded")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--models", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=Path("bench-serving.json"), help="file for all numbers"
    )
    options = parser.parse_args()
    # Like Ctrl-C: the servers end with the benchmark.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="bench-serving-") as work:
            comparison = Comparison(Path(work), options.seconds, options.rounds, options.connections)
            result = comparison.run(options.models)
    except BenchmarkError as error:
        print(f"bench-serving: {error}", file=sys.stderr)
        return 1
    options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print("\n".join(lines(result)))
    print(f"\nall numbers: {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
