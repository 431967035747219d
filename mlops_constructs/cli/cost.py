"""``mlops cost``: what a pipeline costs, before and after it is deployed."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import MlopsError
from ..local_aws.scratch import scratch_folder
from ..prices.book import UNKNOWN
from ..prices.rows import PER_GB, monthly
from ._arguments import read_pipeline
from .synth import synthesize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..prices import Amount
    from ..prices.rows import Row

_HEADINGS = ("part", "what", "USD per hour", "USD", "for")
_MAX_HOURS = 24


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "cost",
        help="show what a pipeline costs: trainings, endpoints, notebook, storage",
        description="Show what a pipeline costs at minimum and at maximum: the deployed PIPELINE, or without one the"
        " synthesized stack of this folder. Prices are on-demand prices of a dated table, or yours; what is not known"
        " is shown as unknown.",
    )
    parser.add_argument(
        "pipeline",
        metavar="PIPELINE",
        nargs="?",
        help="name of a deployed pipeline (default: the stack of this folder)",
    )
    parser.add_argument("--app", metavar="COMMAND", help="command that synthesizes the stack (default: cdktf.json's)")
    parser.add_argument("--stack", metavar="NAME", help="needed only when the app has several")
    parser.add_argument(
        "--pipeline", dest="only", metavar="NAME", help="one pipeline of the stack; a prefix of its name is enough"
    )
    parser.add_argument("--local", action="store_true", help="PIPELINE is in the local AWS of `mlops rehearse --keep`")
    parser.add_argument("--region", help="AWS region (default: that of the stack, or of your AWS configuration)")
    parser.add_argument(
        "--price", action="append", default=[], type=_price, metavar="TYPE=USD", help="price of an instance per hour"
    )
    parser.add_argument(
        "--notebook-hours", type=_hours, default=8.0, metavar="HOURS", help="a day that the notebook runs (default: 8)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    rows, region = _deployed(options) if options.pipeline else _synthesized(options)
    together, unknown = monthly(rows)
    if options.json:
        month = {**asdict(together), "without": unknown}
        print(json.dumps({"region": region, "rows": [asdict(row) for row in rows], "month": month}, indent=2))
        return 0
    print("\n".join(_lines(rows, together, unknown, region)))
    return 0


def _synthesized(options: argparse.Namespace) -> tuple[list[Row], str | None]:
    from ..preflight import SynthesizedStack
    from ..preflight.costs import cost_rows

    if options.local:
        raise MlopsError("--local needs PIPELINE, the name of a pipeline in the local AWS")
    with scratch_folder("mlops-synth-") as output:
        stack = SynthesizedStack(synthesize(options.app, output, options.stack), options.only)
        region = options.region or stack.region
        return cost_rows(stack, region, dict(options.price), options.notebook_hours), region


def _deployed(options: argparse.Namespace) -> tuple[list[Row], str | None]:
    from ..deployed.costs import cost_rows

    if options.app or options.stack or options.only:
        raise MlopsError("--app, --stack and --pipeline are for a stack; leave them out with PIPELINE")
    pipeline = read_pipeline(options)
    rows = cost_rows(pipeline, dict(options.price), options.notebook_hours)
    return rows, pipeline.client("codepipeline").meta.region_name


def _lines(rows: list[Row], together: Amount, unknown: list[str], region: str | None) -> Iterator[str]:
    table = [_HEADINGS, *(_cells(row) for row in rows)]
    without = ", ".join(["trainings", "data", *unknown])
    table.append(
        ("together", "", "", _text(together if together.most or not unknown else None), f"a month, without {without}")
    )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield f"On-demand prices in {region or 'an unknown region'}, without discounts, taxes and free tiers, from:"
    yield from (f"  {source}" for source in dict.fromkeys(row.source for row in rows if row.source != UNKNOWN))
    if UNKNOWN in (row.source for row in rows):
        yield "For an unknown price give --price TYPE=USD, or Cost(hourly_prices_usd=...) in the configuration."
    yield "Not included: builds, functions, requests, logs, keys, data transfer, and the endpoints' volumes."


def _cells(row: Row) -> tuple[str, ...]:
    hourly = "" if row.hourly is None else _exact(row.hourly)
    amount = _text(row.amount)
    if row.amount is not None and row.period == PER_GB:
        amount = _exact(row.amount)
    elif row.amount is not None and row.amount.least == 0 < row.amount.most:
        amount = f"up to {row.amount.most:,.2f}"
    return row.part, row.what, hourly, amount, row.period


def _exact(price: Amount) -> str:
    """Write a price with all its digits."""
    return f"{price.least:.4g}" if price.least == price.most else f"{price.least:.4g} to {price.most:.4g}"


def _text(amount: Amount | None) -> str:
    return UNKNOWN if amount is None else str(amount).removesuffix(" USD")


def _price(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        price = float(number)
    except ValueError:
        price = -1
    if not name.startswith("ml.") or not 0 <= price <= 10_000:
        raise argparse.ArgumentTypeError(f"must be TYPE=USD, such as ml.m5.large=0.115, got {text!r}")
    return name, price


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1
    if not 0 <= hours <= _MAX_HOURS:
        raise argparse.ArgumentTypeError(f"must be 0 to {_MAX_HOURS}, got {text!r}")
    return hours
