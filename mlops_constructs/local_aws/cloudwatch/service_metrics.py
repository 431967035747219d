"""Metrics of other services: of CodePipeline as executions fail, of SQS once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudwatch.metrics import Metric

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account, Event
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics

_VISIBLE = "ApproximateNumberOfMessages"


class ServiceMetrics:
    """Publishes the metrics that alarms of pipelines look at, and no others."""

    def __init__(self, account: Account, metrics: Metrics) -> None:
        self._account, self._metrics = account, metrics
        account.subscribe(self._on_event)

    def sample(self, at: float) -> None:
        """Publish what SQS publishes every minute.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        sqs = self._account.moto("sqs")
        data = []
        for url in sqs.list_queues().get("QueueUrls", []):
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_VISIBLE])["Attributes"]
            metric = Metric.of("AWS/SQS", f"{_VISIBLE}Visible", {"QueueName": url.rsplit("/", 1)[1]})
            data.append((metric, "Count", int(attributes[_VISIBLE])))
        self._metrics.publish(data, at)

    def _on_event(self, event: Event) -> None:
        """https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html"""
        kind, detail = event.get("detail-type"), event.get("detail", {})
        if kind == "CodePipeline Pipeline Execution State Change" and detail["state"] == "FAILED":
            metric = Metric.of("AWS/CodePipeline", "FailedPipelineExecutions", {"PipelineName": detail["pipeline"]})
            self._metrics.publish([(metric, "Count", 1)], self._account.clock.time())
