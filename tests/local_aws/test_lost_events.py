"""An event that neither its target nor the dead-letter queue took: the alarms of a pipeline notify people of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import make_function, open_to_events, wait_for
from synthesis import synth

from mlops_constructs.local_aws.cloudwatch.metrics import Metric
from mlops_constructs.local_aws.faults import stored
from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINUTE = 60


class Site:
    """The alarms on lost events of a pipeline, with one of its rules and one of its functions, both of which fail."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws, self.name = aws, synth().pipeline.name
        self.rule, self.function = f"{self.name}-on-upload", f"{self.name}-retire-dev"
        sqs, self.lines = aws.client("sqs"), list[str]()
        aws.add_listener(self.lines.append)
        self.queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.queue_arn = self._arn(self.queue)
        sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": open_to_events(self.queue_arn)})
        self.mailbox = sqs.create_queue(QueueName="people")["QueueUrl"]
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.topic = aws.client("sns").create_topic(Name="people", Attributes={"Policy": policy})["TopicArn"]
        aws.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self._arn(self.mailbox))
        closed = aws.client("sns").create_topic(Name="closed")["TopicArn"]
        aws.client("events").put_rule(Name=self.rule, EventPattern=json.dumps({"source": ["test"]}))
        target = {"Id": "only", "Arn": closed, "DeadLetterConfig": {"Arn": self.queue_arn}}
        aws.client("events").put_targets(Rule=self.rule, Targets=[target])
        letters = {"TargetArn": self.queue_arn}
        make_function(aws, self.function, "def handler(event, context): 1 / 0", DeadLetterConfig=letters)
        for alarm in synth().all("aws_cloudwatch_metric_alarm").values():
            if "-lost-events-" in alarm["alarm_name"]:
                aws.client("cloudwatch").put_metric_alarm(**self._as_request(alarm))

    def emit(self) -> None:
        """Let the rule match an event."""
        self.aws.account.emit({"source": "test", "detail-type": "Something", "detail": {}})

    def invoke(self) -> None:
        """Invoke the function as a rule does."""
        self.aws.client("lambda").invoke(FunctionName=self.function, InvocationType="Event", Payload=b"{}")

    def kept(self) -> Any:
        """What the dead-letter queue keeps."""
        return self.aws.client("sqs").receive_message(QueueUrl=self.queue).get("Messages")

    def told(self, words: str) -> list[str]:
        """The lines of the log with some words."""
        return [line for line in list(self.lines) if words in line]

    def pass_time(self, minutes: int = 1) -> None:
        """Let time pass; alarms are evaluated every minute."""
        self.aws.clock.advance(minutes * MINUTE)
        self.aws.cloudwatch.alarms.evaluate()

    def states(self) -> list[str]:
        """The state of each alarm."""
        found = self.aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{self.name}-lost-events-")
        return [one["StateValue"] for one in found["MetricAlarms"]]

    def mail(self) -> list[str]:
        """What has come to people."""
        received = self.aws.client("sqs").receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10)
        return [json.loads(one["Body"])["Message"] for one in received.get("Messages", [])]

    def _arn(self, url: str) -> str:
        found = self.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def _as_request(self, alarm: dict[str, Any]) -> dict[str, Any]:
        queries = []
        for one in alarm["metric_query"]:
            if "expression" in one:
                queries.append({"Id": one["id"], "Expression": one["expression"], "ReturnData": True})
                continue
            metric = one["metric"]
            dimensions = [{"Name": name, "Value": value} for name, value in metric["dimensions"].items()]
            asked = {"Namespace": metric["namespace"], "MetricName": metric["metric_name"], "Dimensions": dimensions}
            stat = {"Metric": asked, "Period": metric["period"], "Stat": metric["stat"]}
            queries.append({"Id": one["id"], "MetricStat": stat, "ReturnData": False})
        return {
            "AlarmName": alarm["alarm_name"],
            "AlarmDescription": alarm["alarm_description"],
            "Metrics": queries,
            "EvaluationPeriods": alarm["evaluation_periods"],
            "DatapointsToAlarm": alarm["datapoints_to_alarm"],
            "Threshold": alarm["threshold"],
            "ComparisonOperator": alarm["comparison_operator"],
            "TreatMissingData": alarm["treat_missing_data"],
            "AlarmActions": [self.topic],
        }


@pytest.fixture
def site() -> Iterator[Site]:
    with LocalAws() as aws:
        made = Site(aws)
        made.pass_time()
        assert made.states() == ["OK", "OK"]
        yield made


def deny(site: Site) -> None:
    """Somebody changed the policy of the queue."""
    policy = stored.denying(site.aws, site.queue)
    site.aws.client("sqs").set_queue_attributes(QueueUrl=site.queue, Attributes={"Policy": policy})


def delete(site: Site) -> None:
    """Somebody deleted the queue."""
    site.aws.client("sqs").delete_queue(QueueUrl=site.queue)


@pytest.mark.parametrize("spoil", [deny, delete])
def test_04_people_are_notified_of_an_event_that_the_queue_did_not_take(
    site: Site, spoil: Callable[[Site], None]
) -> None:
    spoil(site)
    site.emit()
    wait_for(lambda: site.told("no delivery to the dead-letter queue"))
    site.pass_time()
    assert site.states() == ["ALARM", "OK"]
    (message,) = site.mail()
    assert f"An event of the pipeline {site.name} is lost" in message
    assert "rules after-approval" in message


@pytest.mark.parametrize("spoil", [deny, delete])
def test_04_people_are_notified_of_a_failed_invocation_that_the_queue_did_not_take(
    site: Site, spoil: Callable[[Site], None]
) -> None:
    spoil(site)
    site.invoke()
    wait_for(lambda: site.told("the failed event could not be sent to"))
    site.pass_time()
    assert site.states() == ["OK", "ALARM"]
    (message,) = site.mail()
    assert "functions retire-dev, stop-training" in message


def test_04_what_the_queue_takes_is_not_lost(site: Site) -> None:
    site.emit()
    wait_for(site.kept)
    site.invoke()
    wait_for(site.kept)
    site.pass_time()
    assert site.states() == ["OK", "OK"]
    assert site.mail() == []


def test_an_alarm_looks_back_an_hour_and_ends_then(site: Site) -> None:
    lost = Metric.of("AWS/Lambda", "DeadLetterErrors", {"FunctionName": site.function})
    metrics, now = site.aws.cloudwatch.metrics, site.aws.clock.time()
    metrics.publish([(lost, "Count", 1)], now - 75 * MINUTE)
    site.pass_time()
    assert site.states() == ["OK", "OK"]
    metrics.publish([(lost, "Count", 1)], now - 49 * MINUTE)
    site.pass_time()
    assert site.states() == ["OK", "ALARM"]
    site.pass_time(30)
    assert site.states() == ["OK", "OK"]


def test_a_rule_of_another_bus_with_the_same_name_is_another_rule(site: Site) -> None:
    events = site.aws.client("events")
    events.create_event_bus(Name="other")
    events.put_rule(Name=site.rule, EventBusName="other", EventPattern=json.dumps({"source": ["other"]}))
    closed = site.aws.client("sns").create_topic(Name="closed")["TopicArn"]
    target = {"Id": "only", "Arn": closed, "DeadLetterConfig": {"Arn": site.queue_arn}}
    events.put_targets(Rule=site.rule, EventBusName="other", Targets=[target])
    delete(site)
    site.aws.events.emit({"source": "other", "detail-type": "Something", "detail": {}}, "other")
    wait_for(lambda: site.told("no delivery to the dead-letter queue"))
    site.pass_time()
    assert site.states() == ["OK", "OK"]
    counted = site.aws.client("cloudwatch").list_metrics(Namespace="AWS/Events")["Metrics"]
    assert [{one["Name"]: one["Value"] for one in metric["Dimensions"]} for metric in counted] == [
        {"EventBusName": "other", "RuleName": site.rule}
    ]
