"""What a stack will cost, from its synthesized form."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import MlopsError
from ..prices.book import PriceBook
from ..prices.rows import Row, metrics_of_alarm, rows_of
from .demands import documents, endpoint_templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .stack import SynthesizedStack


def cost_rows(
    stack: SynthesizedStack, region: str | None, own: Mapping[str, float], notebook_hours: float
) -> list[Row]:
    """Return the rows of the only pipeline of a stack.

    Args:
        stack: The stack, or one pipeline of it.
        region: Region of the prices.
        own: Instance type to the caller's price.
        notebook_hours: Hours a day that the notebook runs.

    Raises:
        MlopsError: when there is not exactly one pipeline.
    """
    read = [document for _, document in documents(stack)]
    trainings = [one for one in read if isinstance(one, dict) and "training_job" in one]
    if len(trainings) != 1:
        raise MlopsError(f"the stack has {len(trainings)} pipelines; name one with --pipeline NAME")
    endpoints = {
        PurePosixPath(path).stem: {
            name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one
        }
        for path, template in endpoint_templates(stack)
    }
    notebook = None
    for instance in stack.of_type("aws_sagemaker_notebook_instance"):
        notebook = (instance.arguments["instance_type"], int(instance.arguments["volume_size"]))
    book = PriceBook.of(region, own, read)
    return rows_of(read, endpoints, notebook, book, notebook_hours, _alarm_metrics(stack))


def _alarm_metrics(stack: SynthesizedStack) -> int:
    """Count the metrics of the stack's alarms, and of those in the templates of its endpoints."""
    own = 0
    for alarm in stack.of_type("aws_cloudwatch_metric_alarm"):
        queries = alarm.arguments.get("metric_query", [])
        own += sum("metric" in one for one in queries) if queries else 1
    resources = [one for _, template in endpoint_templates(stack) for one in template["Resources"].values()]
    alarms = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    return own + sum(metrics_of_alarm(one.get("Metrics")) for one in alarms)
