"""The report of the team's evaluation program, whose metrics replace those of training."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from handler_kit.objects import exists

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Report:
    """The content of an ``evaluation.json``.

    ``metrics`` are texts, as the registry stores them: a value that is not a number is recorded unchanged, and the gate
    rejects it. ``problem`` says why there are no metrics.
    """

    metrics: dict[str, str]
    problem: str = ""


def read_report(s3: Any, uri: str) -> Report:
    """Read the report; when it is missing or cannot be read, nothing is raised, and ``problem`` says why."""
    if not exists(s3, uri):
        return Report({}, "the evaluation program wrote no evaluation.json")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return Report({}, f"evaluation.json has more than {MAX_BYTES} bytes")
    return parse_report(body)


def parse_report(body: bytes) -> Report:
    """Read ``{"metrics": {name: number, or {"value": number}}}``, or SageMaker's groups of metrics."""
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Report({}, "evaluation.json is not UTF-8")
    except (ValueError, RecursionError) as error:
        return Report({}, f"evaluation.json is not JSON: {error}")
    groups = _groups(document)
    if not groups:
        return Report({}, "evaluation.json has neither an object metrics nor a group of metrics")
    metrics = {name: _text(value) for group in groups for name, value in group.items()}
    return Report(metrics) if metrics else Report({}, "evaluation.json has no metric")


def _groups(document: Any) -> list[dict[str, Any]]:
    """The objects with metrics: ``metrics``, otherwise every group that is named as in SageMaker's reports."""
    if not isinstance(document, dict):
        return []
    if isinstance(document.get("metrics"), dict):
        return [document["metrics"]]
    return [group for name, group in document.items() if name.endswith("_metrics") and isinstance(group, dict)]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return json.dumps(value)
    try:
        return repr(float(value))
    except OverflowError:
        return repr(math.inf)
