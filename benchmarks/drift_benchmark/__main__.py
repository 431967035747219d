"""Simulate traffic with and without drift: how often an alarm is false, how soon a change is found, at what cost."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from drift_benchmark.measurement import measure
from drift_benchmark.report import lines


def main(arguments: list[str] | None = None) -> int:
    """Print the tables. A missed target is not an error."""
    options = _options(arguments)
    # Like Ctrl-C: all started processes end with the benchmark.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        document = measure(options.runs, options.seed, options.workers)
    except KeyboardInterrupt:
        print("bench-drift: interrupted", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print("\n".join(lines(document)))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="drift_benchmark", description=__doc__)
    parser.add_argument("--runs", type=_positive, default=1_000, help="streams of each kind without drift")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--workers", type=_positive, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for all numbers")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
