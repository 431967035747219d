"""The metrics of a release as CloudWatch metrics, for the dashboard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs

if TYPE_CHECKING:
    from record_release.settings import Settings


def publish_metrics(metrics: dict[str, str], settings: Settings, cloudwatch: Any) -> None:
    """Publish each metric that is a number; a release does not fail because a graph misses a point."""
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "Pipeline", "Value": settings.pipeline}],
            "Value": float(text),
        }
        for name, text in metrics.items()
        if _is_number(text)
    ]
    if not data:
        return
    try:
        cloudwatch.put_metric_data(Namespace=settings.metric_namespace, MetricData=data)
    except ClientError as error:
        logs.error("the metrics of the release cannot be published", error, metrics=sorted(metrics))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
