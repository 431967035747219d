"""Alarms ring from data: they change their state, notify topics as CloudWatch does, and roll deployments back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import Models, models_of_an_account
from local_aws.tiny_container import wait_until
from synthesis import synth

from mlops_constructs.config import Rollout
from mlops_constructs.local_aws.cloudwatch.metrics import Metric
from mlops_constructs.stages.deployment.alarms import rollback_alarms
from mlops_constructs.stages.deployment.slots import ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}
MINUTE = 60


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with models_of_an_account(tmp_path_factory.mktemp("container")) as made:
        yield made


def pass_time(models: Models, minutes: int = 1) -> None:
    models.aws.account.clock.advance(minutes * MINUTE)
    models.aws.cloudwatch.alarms.evaluate()


def alarm_of(models: Models, name: str) -> dict[str, Any]:
    (found,) = models.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def policy(*actions: str, principal: dict[str, str], **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    conditions = {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **conditions}]})


def topic(aws: LocalAws, name: str, **attributes: str) -> tuple[str, str]:
    """A topic and the URL of a queue that gets its messages."""
    sns, sqs = aws.client("sns"), aws.client("sqs")
    arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    url = sqs.create_queue(QueueName=f"{name}-messages")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    return arn, url


def messages(aws: LocalAws, url: str) -> list[dict[str, Any]]:
    received = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(one["Body"]) for one in received]


def watch(models: Models, **changes: Any) -> str:
    """An alarm that rings when more than 5 were published in a minute."""
    name = models.name("alarm")
    plain = {
        "AlarmName": name,
        "AlarmDescription": "More than 5: run `mlops status`",
        "Namespace": "Ours",
        "MetricName": name,
        "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}],
        "Statistic": "Sum",
        "Period": MINUTE,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    models.aws.client("cloudwatch").put_metric_alarm(**{**plain, **changes})
    return name


def publish(models: Models, name: str, *values: float) -> None:
    dimensions = [{"Name": "B", "Value": "2"}, {"Name": "A", "Value": "1"}]
    data = [{"MetricName": name, "Dimensions": dimensions, "Values": list(values)}]
    models.aws.client("cloudwatch").put_metric_data(Namespace="Ours", MetricData=data)


def test_an_alarm_goes_from_insufficient_data_to_ok_to_alarm_and_back(models: Models) -> None:
    name = watch(models)
    states = [alarm_of(models, name)["StateValue"]]
    for values in ((), (3.0, 3.0), (3.0, 2.0), ()):
        if values:
            publish(models, name, *values)
        pass_time(models)
        states.append(alarm_of(models, name)["StateValue"])
    assert states == ["INSUFFICIENT_DATA", "OK", "ALARM", "OK", "OK"]
    assert "was not greater than the threshold (5.0)" in alarm_of(models, name)["StateReason"]


def test_every_minute_that_passed_is_evaluated(models: Models) -> None:
    said: list[dict[str, Any]] = []
    models.aws.account.subscribe(said.append)
    name = watch(models)
    publish(models, name, 6.0)
    pass_time(models, 30)
    states = [
        event["detail"]["state"]["value"]
        for event in said
        if event["detail-type"] == "CloudWatch Alarm State Change" and event["detail"]["alarmName"] == name
    ]
    assert states == ["ALARM", "OK"]


def test_a_percentile_is_looked_at(models: Models) -> None:
    name = models.name("alarm")
    models.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Ours",
        MetricName=name,
        Dimensions=[{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}],
        ExtendedStatistic="p99",
        Period=MINUTE,
        EvaluationPeriods=1,
        Threshold=50,
        ComparisonOperator="GreaterThanThreshold",
    )
    publish(models, name, *range(1, 51))
    pass_time(models)
    assert alarm_of(models, name)["StateValue"] == "OK"
    publish(models, name, *range(1, 51), 99)
    pass_time(models)
    assert alarm_of(models, name)["StateValue"] == "ALARM"


def test_the_message_is_that_of_cloudwatch(models: Models) -> None:
    arn, url = topic(models.aws, "told", Policy=policy("sns:Publish", principal=CLOUDWATCH))
    name = watch(models, AlarmActions=[arn])
    pass_time(models)
    publish(models, name, 6.0)
    pass_time(models)
    (sent,) = messages(models.aws, url)
    told = json.loads(sent["Message"])
    assert sent["Subject"] == f'ALARM: "{name}" in US East (N. Virginia)'
    assert (told["NewStateValue"], told["OldStateValue"]) == ("ALARM", "OK")
    assert told["AlarmDescription"] == "More than 5: run `mlops status`"
    assert told["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [6.0 (")
    assert (told["Trigger"]["Statistic"], told["Trigger"]["Threshold"]) == ("SUM", 5.0)


@pytest.mark.parametrize("account", ["123456789012", "999999999999"])
def test_a_topic_gets_messages_only_if_its_policy_allows_it(models: Models, account: str) -> None:
    allowed = policy("sns:Publish", principal=CLOUDWATCH, StringEquals={"aws:SourceAccount": account})
    arn, url = topic(models.aws, f"of-{account}", Policy=allowed)
    name = watch(models, AlarmActions=[arn])
    publish(models, name, 6.0)
    pass_time(models)
    assert alarm_of(models, name)["StateValue"] == "ALARM"
    assert len(messages(models.aws, url)) == (1 if account == models.aws.account_id else 0)


@pytest.mark.parametrize("allowed", [True, False])
def test_an_encrypted_topic_needs_its_key_too(models: Models, allowed: bool) -> None:
    root = {"AWS": f"arn:aws:iam::{models.aws.account_id}:root"}
    statements = [json.loads(policy("kms:*", principal=root))["Statement"][0]]
    if allowed:
        statements += json.loads(policy("kms:Decrypt", "kms:GenerateDataKey*", principal=CLOUDWATCH))["Statement"]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    key = models.aws.client("kms").create_key(Policy=document)["KeyMetadata"]["Arn"]
    publishes = policy("sns:Publish", principal=CLOUDWATCH)
    arn, url = topic(models.aws, f"encrypted-{allowed}", Policy=publishes, KmsMasterKeyId=key)
    name = watch(models, AlarmActions=[arn])
    publish(models, name, 6.0)
    pass_time(models)
    assert len(messages(models.aws, url)) == int(allowed)


def test_no_action_runs_while_actions_are_disabled(models: Models) -> None:
    arn, url = topic(models.aws, "silent", Policy=policy("sns:Publish", principal=CLOUDWATCH))
    name = watch(models, AlarmActions=[arn], ActionsEnabled=False)
    publish(models, name, 6.0)
    pass_time(models)
    assert alarm_of(models, name)["StateValue"] == "ALARM"
    assert messages(models.aws, url) == []


def test_a_state_that_was_set_stays_until_there_is_newer_data(models: Models) -> None:
    name = watch(models)
    models.aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    pass_time(models, 5)
    assert (alarm_of(models, name)["StateValue"], alarm_of(models, name)["StateReason"]) == ("ALARM", "a test")
    publish(models, name, 1.0)
    pass_time(models)
    assert alarm_of(models, name)["StateValue"] == "OK"


def test_a_state_that_is_set_runs_the_actions(models: Models) -> None:
    arn, url = topic(models.aws, "set", Policy=policy("sns:Publish", principal=CLOUDWATCH))
    name = watch(models, AlarmActions=[arn])
    for _ in range(2):
        models.aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    assert [json.loads(one["Message"])["NewStateReason"] for one in messages(models.aws, url)] == ["a test"]


def test_an_alarm_that_is_changed_keeps_its_state(models: Models) -> None:
    name = watch(models)
    publish(models, name, 6.0)
    pass_time(models)
    watch(models, AlarmName=name, Threshold=9)
    assert alarm_of(models, name)["StateValue"] == "ALARM"


def test_failed_executions_and_messages_in_a_queue_are_metrics(models: Models) -> None:
    aws, cloudwatch = models.aws, models.aws.client("cloudwatch")
    url = aws.client("sqs").create_queue(QueueName="lost")["QueueUrl"]
    common = {"EvaluationPeriods": 1, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold", "Period": 300}
    watched = {
        "lost": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "QueueName"),
        "failing": ("AWS/CodePipeline", "FailedPipelineExecutions", "Sum", "PipelineName"),
    }
    for name, (namespace, metric, stat, dimension) in watched.items():
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace=namespace,
            MetricName=metric,
            Statistic=stat,
            Dimensions=[{"Name": dimension, "Value": name}],
            TreatMissingData="notBreaching",
            **common,
        )
    pass_time(models)
    assert {alarm_of(models, name)["StateValue"] for name in watched} == {"OK"}
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    detail = {"pipeline": "failing", "state": "FAILED", "execution-id": "1"}
    kind = "CodePipeline Pipeline Execution State Change"
    aws.account.emit({"source": "aws.codepipeline", "detail-type": kind, "detail": detail})
    pass_time(models)
    assert {alarm_of(models, name)["StateValue"] for name in watched} == {"ALARM"}


# What a pipeline's alarms are, from its stack and from the template of its endpoint.


def standing_alarms(models: Models, endpoint: str) -> dict[str, str]:
    """Make the alarms of a synthesized pipeline for an endpoint; kind to name."""
    pipeline = synth().pipeline
    made = {}
    for one in synth().all("aws_cloudwatch_metric_alarm").values():
        if "metric_query" not in one:
            continue
        name = one["alarm_name"].replace(pipeline.name, endpoint)
        models.aws.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Metrics=[as_query(query, endpoint) for query in one["metric_query"]],
            EvaluationPeriods=one["evaluation_periods"],
            DatapointsToAlarm=one["datapoints_to_alarm"],
            Threshold=one["threshold"],
            ComparisonOperator=one["comparison_operator"],
            TreatMissingData=one["treat_missing_data"],
        )
        made[name.removeprefix(f"{endpoint}-").removesuffix("-primary")] = name
    return made


def as_query(query: dict[str, Any], endpoint: str) -> dict[str, Any]:
    if "expression" in query:
        return {"Id": query["id"], "Expression": query["expression"], "ReturnData": True}
    metric, values = query["metric"], {**query["metric"]["dimensions"], "EndpointName": endpoint}
    dimensions = [{"Name": name, "Value": value} for name, value in values.items()]
    named = {"Namespace": metric["namespace"], "MetricName": metric["metric_name"], "Dimensions": dimensions}
    return {
        "Id": query["id"],
        "MetricStat": {"Metric": named, "Period": metric["period"], "Stat": metric["stat"]},
        "ReturnData": False,
    }


def invoke(models: Models, name: str, times: int) -> int:
    """Invoke an endpoint; how many of the requests failed."""
    failed = 0
    for _ in range(times):
        try:
            models.answer(name)
        except ClientError:
            failed += 1
    return failed


@pytest.mark.parametrize(("mode", "state"), [("broken", "ALARM"), ("", "OK")])
def test_the_standing_alarm_on_errors_rings_from_traffic(models: Models, mode: str, state: str) -> None:
    name = models.endpoint(models.simple(mode=mode))
    assert models.settled(name)["EndpointStatus"] == "InService"
    made = standing_alarms(models, name)
    pass_time(models)
    invoke(models, name, 19)
    pass_time(models)
    assert alarm_of(models, made["server-errors"])["StateValue"] == "OK"  # too few requests
    invoke(models, name, 1)
    pass_time(models)
    assert alarm_of(models, made["server-errors"])["StateValue"] == state
    assert alarm_of(models, made["slow-responses"])["StateValue"] == "OK"


def test_slow_responses_ring_in_two_of_three_periods(models: Models) -> None:
    name = models.serving()
    made = standing_alarms(models, name)
    slow = made["slow-responses"]
    states = []
    for microseconds in (1_000_000, 3_000_000, 1_000_000, 3_000_000, 1_000_000, 1_000_000, 1_000_000):
        publish_latency(models, name, microseconds)
        pass_time(models, 5)
        states.append(alarm_of(models, slow)["StateValue"])
    assert states == ["OK", "OK", "OK", "ALARM", "OK", "OK", "OK"]


def publish_latency(models: Models, endpoint: str, microseconds: int) -> None:
    dimensions = {"EndpointName": endpoint, "VariantName": "primary"}
    values = {"Invocations": ("None", 1), "ModelLatency": ("Microseconds", microseconds)}
    data = [(Metric.of("AWS/SageMaker", name, dimensions), *value) for name, value in values.items()]
    models.aws.cloudwatch.metrics.publish(data * 20, models.aws.account.clock.time())


def rollout(models: Models, endpoint: str, config: str) -> dict[str, Any]:
    """Make the rollback alarms of the endpoint's template; the deployment policy with them."""
    names = []
    for logical, resource in rollback_alarms(Rollout.canary(), ONLY[0], "real-time").items():
        text = json.dumps(resource["Properties"]).replace('{"Ref": "EndpointName"}', json.dumps(endpoint))
        text = text.replace('{"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}', json.dumps(config))
        properties = {**json.loads(text), "AlarmDescription": "of a template"}
        names.append(f"{endpoint}-{logical}")
        models.aws.client("cloudwatch").put_metric_alarm(AlarmName=names[-1], **properties)
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 600,
    }
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]},
    }


def update(models: Models, name: str, answer: str, mode: str) -> None:
    config = models.simple(answer, mode, InitialInstanceCount=2)
    models.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=config, DeploymentConfig=rollout(models, name, config)
    )


def status(models: Models, name: str) -> str:
    return str(models.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])


def test_31_a_rollout_is_rolled_back_when_its_alarm_rings(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.aws.sagemaker.endpoints, "bake_seconds", 3_600.0)
    name = models.serving("old", InitialInstanceCount=2)
    update(models, name, "new", "broken")
    failed = wait_until(lambda: invoke(models, name, 10))
    failed += invoke(models, name, 100)
    assert 0 < failed < 110  # the canary gets half of the requests
    models.aws.account.clock.advance(MINUTE)
    settled = models.settled(name)
    assert settled["FailureReason"].startswith(
        "Endpoint update rolled back: One or more configured alarms are in ALARM"
    )
    assert f"{name}-ServerErrors" in settled["FailureReason"]
    assert invoke(models, name, 20) == 0
    assert models.answer(name)["answer"] == "old"


def test_31_a_rollout_without_errors_gets_all_traffic_in_the_end(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.aws.sagemaker.endpoints, "bake_seconds", 3_600.0)
    name = models.serving("old", InitialInstanceCount=2)
    update(models, name, "new", "")
    wait_until(lambda: models.answer(name)["answer"] == "new")
    assert {models.answer(name)["answer"] for _ in range(60)} == {"old", "new"}
    models.aws.account.clock.advance(600)
    wait_until(lambda: {models.answer(name)["answer"] for _ in range(30)} == {"new"})
    assert status(models, name) == "Updating"  # the whole fleet is watched once more
    models.aws.account.clock.advance(600)
    assert "FailureReason" not in models.settled(name)
    assert models.answer(name)["answer"] == "new"
