"""The pages of GetMetricData."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import NamedTuple

from mlops_constructs.local_aws.service import AwsError, Params

_TOKEN = re.compile(r"(\d+)-(\d+)")


class Point(NamedTuple):
    """A data point: seconds since 1970, and its value."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Result:
    """The data points of one query, in the order in which they are returned."""

    id: str
    label: str
    points: list[Point]


def page_of(results: list[Result], limit: int, token: str | None, *, oldest_first: bool) -> Params:
    """The response with at most `limit` data points, query by query.

    A result of which a later page has more is PartialData. The token names the last point that was returned, so that
    data that is published in between moves nothing: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    reached, after = _position(token, len(results))
    answers: list[Params] = []
    next_token = ""
    for number, result in enumerate(results):
        points = [] if number < reached else result.points
        if number == reached and after is not None:
            points = [point for point in points if (point.at > after if oldest_first else point.at < after)]
        page = points[:limit]
        if len(page) < len(points) and not next_token:
            last = page[-1].at if page else after if number == reached else None
            next_token = f"{number}-{'0' if last is None else int(last) + 1}"
        limit -= len(page)
        answers.append(_answer(result, page, complete=len(page) == len(points)))
    return {"MetricDataResults": answers} | ({"NextToken": next_token} if next_token else {})


def _position(token: str | None, results: int) -> tuple[int, float | None]:
    """The query that a page begins with, and the time of the last point of it that was returned."""
    if token is None:
        return 0, None
    match = _TOKEN.fullmatch(token)
    if match is None or int(match[1]) >= results:
        raise AwsError("InvalidNextToken", "The value for parameter NextToken is not valid.")
    return int(match[1]), float(int(match[2]) - 1) if match[2] != "0" else None


def _answer(result: Result, page: list[Point], *, complete: bool) -> Params:
    return {
        "Id": result.id,
        "Label": result.label,
        "Timestamps": [datetime.fromtimestamp(point.at, timezone.utc) for point in page],
        "Values": [point.value for point in page],
        "StatusCode": "Complete" if complete else "PartialData",
    }
