"""The alarm that notifies people of events that could not be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..provider import cloudwatch_metric_alarm

if TYPE_CHECKING:
    from .._aws.environment import Environment


class AlarmsStage(Construct):
    """The alarm on the dead-letter queue, which notifies the approvers.

    Attributes:
        dead_letters: The alarm, which is in ALARM while the queue contains a message.
    """

    def __init__(self, scope: Construct, id_: str, *, env: Environment, queue_name: str, topic_arn: str) -> None:
        """Make the alarm.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            env: Where it is deployed.
            queue_name: Name of the queue, a literal.
            topic_arn: SNS topic that is notified.
        """
        super().__init__(scope, id_)
        self.dead_letters = cloudwatch_metric_alarm.CloudwatchMetricAlarm(
            self,
            "dead_letters",
            alarm_name=queue_name,
            alarm_description=(
                f"An event or an invocation of the MLOps pipeline {env.name} could not be delivered: the queue"
                f" {queue_name} keeps it for 14 days. Read its messages, fix the cause, and upload or start again."
            ),
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": queue_name},
            statistic="Maximum",
            period=300,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            # SQS sends no metrics for a queue that has been empty for a long time.
            treat_missing_data="notBreaching",
            alarm_actions=[topic_arn],
        )
