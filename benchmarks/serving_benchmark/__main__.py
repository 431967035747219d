"""Compare; print ratios, and everything as JSON.

make bench-serving
PYTHONPATH=benchmarks python -m serving_benchmark --seconds 8 --rounds 3 --json result.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from serving_benchmark.comparison import MODELS, Comparison
from serving_benchmark.environments import BenchmarkError
from serving_benchmark.report import lines


def main() -> int:
    """Run the comparison; the exit code is 1 when it cannot run."""
    parser = argparse.ArgumentParser(prog="serving_benchmark", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="of one load")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server takes its turn")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-serving-") as work:
            comparison = Comparison(Path(work), options.seconds, options.rounds, options.connections)
            result = comparison.run(options.models)
    except BenchmarkError as error:
        print(f"bench-serving: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines(result)))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
