"""Simulate A/B tests: how often a verdict is false, how soon a difference is found, and whether intervals are right."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from ab_benchmark.agreement import AgreementError
from ab_benchmark.measurement import measure
from ab_benchmark.report import lines
from ab_benchmark.simulation import BLOCK, MINIMUM_SAMPLE


def main(arguments: list[str] | None = None) -> int:
    """Print the tables. A missed target is not an error; a disagreement with the shipped modules is."""
    options = _options(arguments)
    # Like Ctrl-C: all started processes end with the benchmark.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        document = measure(options.runs, options.horizon, options.seed, options.workers)
    except AgreementError as error:
        print(f"bench-ab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench-ab: interrupted", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print("\n".join(lines(document)))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ab_benchmark", description=__doc__)
    parser.add_argument("--runs", type=_positive, default=10_000, help="tests of each cell without a difference")
    parser.add_argument("--horizon", type=_horizon, default=20_000, help="outcomes of each test")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--workers", type=_positive, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for all numbers")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return int(text)


def _horizon(text: str) -> int:
    if not text.isdecimal() or int(text) < MINIMUM_SAMPLE or int(text) % BLOCK:
        raise argparse.ArgumentTypeError(f"must be a multiple of {BLOCK} from {MINIMUM_SAMPLE}, got {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
