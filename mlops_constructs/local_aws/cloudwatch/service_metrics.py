"""Metrics of other services: of CodePipeline as executions fail, of SQS once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.sqs.models import sqs_backends

from mlops_constructs.local_aws.cloudwatch.metrics import Metric

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account, Event
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics


class ServiceMetrics:
    """Publishes the metrics that alarms of pipelines look at, and no others."""

    def __init__(self, account: Account, metrics: Metrics) -> None:
        self._account, self._metrics = account, metrics
        account.subscribe(self._on_event)

    def sample(self, at: float) -> None:
        """Publish what SQS publishes every minute.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        queues = sqs_backends[self._account.account_id][self._account.region].queues
        data = []
        for name, queue in list(queues.items()):
            metric = Metric.of("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": name})
            data.append((metric, "Count", queue.approximate_number_of_messages))
        self._metrics.publish(data, at)

    def _on_event(self, event: Event) -> None:
        """https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html"""
        kind, detail = event.get("detail-type"), event.get("detail", {})
        if kind == "CodePipeline Pipeline Execution State Change" and detail["state"] == "FAILED":
            metric = Metric.of("AWS/CodePipeline", "FailedPipelineExecutions", {"PipelineName": detail["pipeline"]})
            self._metrics.publish([(metric, "Count", 1)], self._account.clock.time())
