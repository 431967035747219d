"""The alarms that notify people, and the function that notifies them of what no alarm can say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ...config.serving import COUNTED
from ...provider import cloudwatch_metric_alarm
from .endpoint import PERIOD_SECONDS, EndpointAlarm, endpoint_alarms
from .lost_events import LostEventsAlarm, lost_events_alarms
from .notifications import notify_people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._aws.environment import Environment
    from ..._aws.topic import Topic
    from ...config import Alarms, Approval
    from ...config.serving import Mode

_SAGEMAKER = "AWS/SageMaker"


class AlarmsStage(Construct):
    """The alarms on the production endpoint, on failed executions and on undelivered events, and the notifications.

    CloudWatch publishes the alarms to the approvers' topic. An EventBridge rule could name the execution in its
    message. But it can publish to an encrypted topic only if the policies of topic and key allow
    ``events.amazonaws.com`` without a condition, and then the rules of every account could send messages to the
    approvers. CloudWatch takes conditions, and a function has a role.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html

    Attributes:
        failed_executions: The alarm of the pipeline, which is in ALARM for the minutes in which an execution failed.
        failed_image_executions: The same of the image pipeline, or None without one.
        dead_letters: The alarm of the queue, which is in ALARM while it contains a message; None if the queue is an
            existing one.
        lost_events: The alarms on events that the queue did not take either, also of an existing queue.
        of_endpoint: The alarms of the production endpoint.
        notify_people: Function that notifies people of a rollback, and of an approval that waits for long.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Alarms,
        approval: Approval,
        env: Environment,
        production_endpoint: str,
        variants: Sequence[str],
        mode: Mode,
        image_pipeline: str | None,
        queue_name: str | None,
        topic: Topic,
    ) -> None:
        """Make the alarms and the function, when all other rules of the pipeline have been made.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            config: The alarms.
            approval: The approval, of which people are reminded.
            env: Where it is deployed.
            production_endpoint: Name of the production endpoint and of its stack.
            variants: Names of production's variants.
            mode: How it serves.
            image_pipeline: Name of the image pipeline, or None.
            queue_name: Name of the dead-letter queue, a literal; None if it is an existing one.
            topic: SNS topic that is notified.
        """
        super().__init__(scope, id_)
        self._env, self._topic_arn, self._counted = env, topic.arn, COUNTED[mode]
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
        self.of_endpoint = [
            self._of_endpoint(production_endpoint, variant, alarm)
            for variant, alarm in endpoint_alarms(config, env.name, variants, mode)
        ]
        self.notify_people = notify_people(
            self,
            env=env,
            config=config,
            approval=approval,
            stack=production_endpoint,
            topic=topic,
        )
        # The function has rules too.
        self.lost_events = [self._lost_events(alarm) for alarm in lost_events_alarms(env, queue_name)]

    @property
    def all(self) -> list[cloudwatch_metric_alarm.CloudwatchMetricAlarm]:
        """All alarms, those of the production endpoint first."""
        others = (self.failed_executions, self.failed_image_executions, self.dead_letters)
        return [*self.of_endpoint, *(one for one in others if one is not None), *self.lost_events]

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

    def _lost_events(self, alarm: LostEventsAlarm) -> cloudwatch_metric_alarm.CloudwatchMetricAlarm:
        lines = [
            _measured(one.id_, one.namespace, one.metric, "Sum", {one.dimension: one.name}, label=one.name)
            for one in alarm.counts
        ]
        return self._computed(alarm, lines)

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
            period=PERIOD_SECONDS,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            # No executions, and a queue that has been empty for a long time, have no metrics.
            treat_missing_data="notBreaching",
            alarm_actions=[self._topic_arn],
        )

    def _of_endpoint(
        self, endpoint: str, variant: str, alarm: EndpointAlarm
    ) -> cloudwatch_metric_alarm.CloudwatchMetricAlarm:
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        lines = [
            _measured("measured", _SAGEMAKER, alarm.metric, alarm.stat, dimensions),
            _measured("requests", _SAGEMAKER, *self._counted, dimensions),
        ]
        return self._computed(alarm, lines)

    def _computed(
        self,
        alarm: EndpointAlarm | LostEventsAlarm,
        lines: Sequence[cloudwatch_metric_alarm.CloudwatchMetricAlarmMetricQuery],
    ) -> cloudwatch_metric_alarm.CloudwatchMetricAlarm:
        """Make an alarm on an expression over metrics."""
        computed = cloudwatch_metric_alarm.CloudwatchMetricAlarmMetricQuery(
            id="value", label=alarm.label, expression=alarm.expression, return_data=True
        )
        return cloudwatch_metric_alarm.CloudwatchMetricAlarm(
            self,
            alarm.id_,
            alarm_name=alarm.name,
            alarm_description=alarm.description,
            metric_query=[computed, *lines],
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.datapoints,
            threshold=alarm.threshold,
            comparison_operator="GreaterThanThreshold",
            # Without requests, an endpoint or a loss, there is nothing to tell.
            treat_missing_data="notBreaching",
            alarm_actions=[self._topic_arn],
        )


def _measured(
    id_: str, namespace: str, metric: str, stat: str, dimensions: dict[str, str], *, label: str | None = None
) -> cloudwatch_metric_alarm.CloudwatchMetricAlarmMetricQuery:
    return cloudwatch_metric_alarm.CloudwatchMetricAlarmMetricQuery(
        id=id_,
        label=label,
        metric=cloudwatch_metric_alarm.CloudwatchMetricAlarmMetricQueryMetric(
            namespace=namespace, metric_name=metric, dimensions=dimensions, period=PERIOD_SECONDS, stat=stat
        ),
    )
