"""Measure synth, growth, import, the Lambda bundles and the rehearsal; docs/benchmarks.md says what is compared."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from synth_benchmark.collect import DEFAULT, PARTS, collect
from synth_benchmark.report import show


def main() -> int:
    """Run the parts; the exit code is 1 if one could not run. A missed target is not an error."""
    options = _options()
    # Like Ctrl-C: all started processes end with the benchmark.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        document = collect(options.only, options.rounds)
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    show(document)
    print(f"\nAll numbers: {options.json}")
    if options.write_docs:
        from synth_benchmark.docs_page import write_docs

        write_docs(document)
    return 1 if document["failed"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="synth_benchmark", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=3, help="how often each program runs")
    parser.add_argument("--only", type=_parts, default=list(DEFAULT), metavar="PART,PART", help=", ".join(PARTS))
    parser.add_argument("--all", action="store_const", dest="only", const=list(PARTS), help="rehearsal too")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        default=Path(os.environ.get("BENCH_OUT", "bench.json")),
        help="file for the numbers of all rounds; default: $BENCH_OUT, or bench.json",
    )
    parser.add_argument("--write-docs", action="store_true", help="write docs/benchmarks.{md,json,svg}")
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return int(text)


def _parts(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"must be from {', '.join(PARTS)}, got {', '.join(unknown)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
