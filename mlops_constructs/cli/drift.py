"""``mlops drift``: whether production differs from the training data, and whether the model is right often enough."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ._arguments import add_arguments, read_pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from ..deployed.drift import DriftReport

_HEADINGS = ("feature", "alarm", "PSI", "moved (sd)", "evidence", "since", "records")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "drift",
        help="show which features of production have drifted, how much and since when",
        description="Look at what production has captured: which features differ from the training data, how much and"
        " since when, and whether the predictions are right often enough. Evidence is in powers of ten, beside what is"
        " enough. The exit code is 0 whether there are alarms or not.",
    )
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the report; an alarm is not a failure of the command."""
    from ..deployed.drift import drift_of

    report = drift_of(read_pipeline(options))
    if options.json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        print("\n".join(_lines(report, options.pipeline)))
    return 0


def _lines(report: DriftReport, pipeline: str) -> Iterator[str]:
    content = report.content
    if report.why_not_fresh:
        yield f"This report is {report.age_seconds / 60:.0f} minutes old: {report.why_not_fresh}"
    if "sentence" in content:
        yield str(content["sentence"])
        return
    behind = "; there is more to count, look again" if content.get("behind") else ""
    release = content["release"] if content["release"] is not None else content["model_package_arn"]
    yield f"{pipeline}, release {release}, until {_time(content['until'])}{behind}"
    if not report.in_alarm:
        yield "No alarms."
    for alarm in content["alarms"]:
        yield f"ALARM: {alarm['sentence']}"
    for name in ("quality", "estimated_quality"):
        if content.get(name):
            yield str(content[name])
    yield from map(str, content["notes"])
    rows = [_HEADINGS, *(_row(one) for one in content["features"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(one["feature"]),
        "yes" if one["alarm"] else "",
        f"{one['psi']:.2f}",
        "" if one["wasserstein"] is None else f"{one['wasserstein']:.2f}",
        f"{one['log10_evidence']:.1f} of {one['log10_limit']:.1f}",
        "" if one["since"] is None else _time(one["since"]),
        f"{one['records']:,}",
    )


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"
