"""``mlops logs``: what the programs of a pipeline printed."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

from ..deployed.log_streams import PLACES, LogReader
from ._arguments import add_arguments, read_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..deployed.log_streams import LogLine

_POLL_SECONDS = 2.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "logs",
        help="print the logs of training, the endpoints, the image build or the functions",
        description="Print the newest lines of a log in CloudWatch, oldest first.",
    )
    add_arguments(parser)
    parser.add_argument("place", choices=PLACES, metavar="PLACE", help=f"one of: {', '.join(PLACES)}")
    parser.add_argument("--execution", metavar="ID", help="of training and evaluation (default: the newest)")
    parser.add_argument("--lines", type=_count, default=100, metavar="N", help="how many lines (default: 100)")
    parser.add_argument("--follow", action="store_true", help="print new lines until Ctrl-C")
    parser.set_defaults(run=run, when_interrupted="the log goes on")


def run(options: argparse.Namespace) -> int:
    """Print the lines; raise MlopsError when there is no such log."""
    pipeline = read_pipeline(options)
    reader = LogReader(pipeline, options.place, options.execution)
    lines = reader.newest(options.lines)
    _print(lines, as_json=options.json)
    while options.follow:
        time.sleep(_POLL_SECONDS)
        _print(reader.more(), as_json=options.json)
    return 0


def _print(lines: Iterable[LogLine], *, as_json: bool) -> None:
    for line in lines:
        if as_json:
            print(json.dumps({"time": line.time, "stream": line.stream, "message": line.message}), flush=True)
        else:
            print(line.message, flush=True)


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"must be 1 to 10000, got {text!r}")
    return int(text)
