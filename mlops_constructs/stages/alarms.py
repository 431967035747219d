"""The alarms that notify people of executions that failed, and of events that could not be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..provider import cloudwatch_metric_alarm

if TYPE_CHECKING:
    from .._aws.environment import Environment


class AlarmsStage(Construct):
    """The alarms on failed executions and on the dead-letter queue, which notify the approvers.

    An EventBridge rule could name the execution in its message. But it can publish to an encrypted topic only if the
    policies of topic and key allow ``events.amazonaws.com`` without a condition, and then the rules of every account
    could send messages to the approvers. CloudWatch takes conditions.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html

    Attributes:
        failed_executions: The alarm of the pipeline, which is in ALARM for the minutes in which an execution failed.
        failed_image_executions: The same of the image pipeline, or None without one.
        dead_letters: The alarm of the queue, which is in ALARM while it contains a message; None if the queue is an
            existing one.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        env: Environment,
        image_pipeline: str | None,
        queue_name: str | None,
        topic_arn: str,
    ) -> None:
        """Make the alarms.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            env: Where it is deployed.
            image_pipeline: Name of the image pipeline, or None.
            queue_name: Name of the dead-letter queue, a literal; None if it is an existing one.
            topic_arn: SNS topic that is notified.
        """
        super().__init__(scope, id_)
        self._env, self._topic_arn = env, topic_arn
        self.failed_executions = self._failed(
            "failed_executions",
            env.name,
            f"An execution of the pipeline {env.name} failed, or its model was rejected. `mlops status {env.name}` says"
            " where and why.",
        )
        self.failed_image_executions = None
        if image_pipeline is not None:
            self.failed_image_executions = self._failed(
                "failed_image_executions",
                image_pipeline,
                f"An execution of the image pipeline {image_pipeline} failed: the pipeline {env.name} keeps the"
                f" image that it has. `mlops logs {env.name} build` shows the log of the build.",
            )
        self.dead_letters = None if queue_name is None else self._dead_letters(queue_name)

    def _failed(self, id_: str, pipeline: str, description: str) -> cloudwatch_metric_alarm.CloudwatchMetricAlarm:
        """https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html"""
        return self._above_zero(
            id_,
            f"{pipeline}-failed-executions",
            description,
            namespace="AWS/CodePipeline",
            metric_name="FailedPipelineExecutions",
            dimensions={"PipelineName": pipeline},
            statistic="Sum",
        )

    def _dead_letters(self, queue_name: str) -> cloudwatch_metric_alarm.CloudwatchMetricAlarm:
        return self._above_zero(
            "dead_letters",
            queue_name,
            f"An event or an invocation of the MLOps pipeline {self._env.name} could not be delivered: the queue"
            f" {queue_name} keeps it for 14 days. Read its messages, fix the cause, and upload or start again.",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": queue_name},
            statistic="Maximum",
        )

    def _above_zero(
        self,
        id_: str,
        name: str,
        description: str,
        *,
        namespace: str,
        metric_name: str,
        dimensions: dict[str, str],
        statistic: str,
    ) -> cloudwatch_metric_alarm.CloudwatchMetricAlarm:
        """Make an alarm that rings while a metric is above 0 in five minutes."""
        return cloudwatch_metric_alarm.CloudwatchMetricAlarm(
            self,
            id_,
            alarm_name=name,
            alarm_description=description,
            namespace=namespace,
            metric_name=metric_name,
            dimensions=dimensions,
            statistic=statistic,
            period=300,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            # No executions, and a queue that has been empty for a long time, have no metrics.
            treat_missing_data="notBreaching",
            alarm_actions=[self._topic_arn],
        )
