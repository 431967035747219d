"""Widgets of a CloudWatch dashboard as plain data.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Json = dict[str, Any]
COLUMNS = 24


def metric(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    *,
    id_: str,
    stat: str,
    label: str | None = None,
) -> list[Any]:
    """Return a metric; without a label it is not drawn, only expressions read it."""
    drawn: Json = {"visible": False} if label is None else {"label": label}
    return [
        namespace,
        name,
        *(part for pair in dimensions.items() for part in pair),
        {"id": id_, "stat": stat, **drawn},
    ]


def expression(id_: str, text: str, label: str) -> list[Any]:
    """Return a line that is computed from the metrics of the same widget."""
    return [{"expression": text, "id": id_, "label": label}]


def graph(
    title: str,
    region: str,
    metrics: Sequence[list[Any]],
    *,
    unit: str,
    stacked: bool = False,
    period_seconds: int = 60,
    lines: Mapping[str, float] | None = None,
) -> Json:
    """Return a graph over time, from zero.

    Args:
        title: Title.
        region: Region of the metrics.
        metrics: Metrics and expressions.
        unit: Text beside the axis.
        stacked: Whether the lines are drawn on top of each other.
        period_seconds: Time that a point of a line stands for.
        lines: Label to value of horizontal lines.
    """
    properties: Json = {
        "title": title,
        "region": region,
        "view": "timeSeries",
        "stacked": stacked,
        "period": period_seconds,
        "metrics": list(metrics),
        "yAxis": {"left": {"min": 0, "label": unit, "showUnits": False}},
    }
    if lines:
        properties["annotations"] = {"horizontal": [{"label": label, "value": at} for label, at in lines.items()]}
    return {"type": "metric", "height": 6, "properties": properties}


def search(id_: str, text: str, period_seconds: int) -> list[Any]:
    """Return a line for each metric that a search finds."""
    return [{"expression": text, "id": id_, "period": period_seconds}]


def states(title: str, alarm_arns: Sequence[str]) -> Json:
    """Return the states of alarms, those in ALARM first."""
    properties = {"title": title, "alarms": list(alarm_arns), "sortBy": "stateUpdatedTimestamp"}
    return {"type": "alarm", "height": 3, "properties": properties}


def text(markdown: str, *, height: int) -> Json:
    """Return a text."""
    return {"type": "text", "height": height, "properties": {"markdown": markdown}}


def placed(rows: Iterable[Sequence[Json]]) -> list[Json]:
    """Place rows of widgets below each other; the widgets of a row have the same width, and fill it."""
    found: list[Json] = []
    y = 0
    for row in rows:
        width = COLUMNS // len(row)
        found += [{**widget, "x": number * width, "y": y, "width": width} for number, widget in enumerate(row)]
        y += max(widget["height"] for widget in row)
    return found
