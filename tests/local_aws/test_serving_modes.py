"""Serverless and asynchronous endpoints of the local AWS: real processes, a real queue, and what AWS refuses."""

from __future__ import annotations

import json
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import BUCKET, Models, models_of_an_account, variant
from local_aws.tiny_container import wait_until

from mlops_constructs.local_aws.sagemaker.serverless import IDLE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
OUTPUT = f"s3://{BUCKET}/async/output"
FAILURE = f"s3://{BUCKET}/async/failure"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with models_of_an_account(tmp_path_factory.mktemp("container")) as made:
        yield made


def without_instances(model: str, **config: int) -> dict[str, Any]:
    """A serverless variant."""
    return {"VariantName": "primary", "ModelName": model, "ServerlessConfig": {**SERVERLESS, **config}}


def serverless(models: Models, mode: str = "", **config: int) -> str:
    name = models.endpoint(models.config(without_instances(models.model(mode=mode), **config)))
    assert models.settled(name)["EndpointStatus"] == "InService"
    return name


def runs(models: Models, name: str) -> bool:
    """Whether the process of an endpoint runs now."""
    (one,) = models.aws.sagemaker.endpoints.serving(name).variants
    return one.on_demand.runs


def inference(output: str = OUTPUT, **client: int) -> dict[str, Any]:
    config: dict[str, Any] = {"OutputConfig": {"S3OutputPath": output, "S3FailurePath": FAILURE}}
    return {**config, **({"ClientConfig": client} if client else {})}


def asynchronous(models: Models, config: dict[str, Any] | None = None, **changes: Any) -> str:
    made = models.config(variant(models.model(), **changes), AsyncInferenceConfig=config or inference())
    name = models.endpoint(made)
    assert models.settled(name)["EndpointStatus"] == "InService"
    return name


def send(models: Models, name: str, body: bytes = b"1,2", **members: Any) -> dict[str, str]:
    """Queue a request."""
    key = f"async/input/{uuid.uuid4().hex}"
    models.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    found: dict[str, str] = models.aws.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=name, InputLocation=f"s3://{BUCKET}/{key}", ContentType="text/csv", **members
    )
    return found


def content(models: Models, uri: str) -> bytes | None:
    try:
        found = models.aws.client("s3").get_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))
    except ClientError:
        return None
    return bytes(found["Body"].read())


def read(models: Models, uri: str) -> bytes:
    found: bytes = wait_until(lambda: content(models, uri))
    return found


def count(models: Models, name: str) -> int:
    (shown,) = models.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    return int(shown["CurrentInstanceCount"])


def test_a_serverless_endpoint_responds_and_has_no_instances(models: Models) -> None:
    name = serverless(models)

    assert models.answer(name)["answer"] == "one"
    (shown,) = models.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == SERVERLESS
    assert "CurrentInstanceCount" not in shown


def test_without_requests_no_process_runs_and_the_next_request_starts_one(models: Models) -> None:
    name = serverless(models)
    assert runs(models, name)

    models.aws.account.clock.advance(IDLE_SECONDS + 1)
    wait_until(lambda: not runs(models, name))

    assert models.answer(name)["answer"] == "one"
    assert runs(models, name)
    metrics = models.aws.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker", MetricName="ModelSetupTime")
    assert name in {one["Value"] for metric in metrics["Metrics"] for one in metric["Dimensions"]}


def test_provisioned_concurrency_keeps_a_process(models: Models) -> None:
    name = serverless(models, ProvisionedConcurrency=1)
    other = serverless(models)

    models.aws.account.clock.advance(IDLE_SECONDS + 1)
    wait_until(lambda: not runs(models, other))

    assert runs(models, name)


def test_more_requests_at_a_time_are_throttled(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    name = serverless(models, MaxConcurrency=1)
    (one,) = models.aws.sagemaker.endpoints.serving(name).variants
    assert one.serverless is not None
    entered, leave = threading.Event(), threading.Event()

    def long_request() -> None:
        assert one.serverless is not None
        with one.serverless.invocation():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=long_request)
    thread.start()
    entered.wait()
    try:
        with pytest.raises(ClientError, match="ThrottlingException"):
            models.answer(name)
    finally:
        leave.set()
        thread.join()
    assert models.answer(name)["answer"] == "one"


def test_a_serverless_request_may_have_four_megabytes(models: Models) -> None:
    name = serverless(models)
    runtime = models.aws.client("sagemaker-runtime")

    runtime.invoke_endpoint(EndpointName=name, Body=b"0" * (4 * 1024 * 1024))["Body"].close()
    with pytest.raises(ClientError, match=r"ValidationError.*oversize body"):
        runtime.invoke_endpoint(EndpointName=name, Body=b"0" * (4 * 1024 * 1024 + 1))


def test_a_model_that_cannot_be_loaded_fails_a_serverless_endpoint(models: Models) -> None:
    name = models.endpoint(models.config(without_instances(models.model(mode="exit"))))
    endpoint = models.settled(name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert "the model cannot be loaded" in endpoint["FailureReason"]


def test_a_serverless_endpoint_is_updated_all_at_once_only(models: Models) -> None:
    name = serverless(models)
    new = models.config(without_instances(models.model("two")))
    policy = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
    }
    with pytest.raises(ClientError, match="DeploymentConfig is not supported"):
        models.update(name, new, DeploymentConfig=policy)
    assert models.update(name, new)["EndpointStatus"] == "InService"
    assert models.answer(name)["answer"] == "two"


CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.mark.parametrize(
    ("changes", "members", "complaint"),
    [
        ({"MemorySizeInMB": 1500}, {}, "multiple of 1024"),
        ({"ProvisionedConcurrency": 3}, {}, "at most MaxConcurrency"),
        ({}, {"DataCaptureConfig": CAPTURE}, "DataCaptureConfig is not supported for serverless"),
        ({}, {"AsyncInferenceConfig": inference()}, "AsyncInferenceConfig is not supported for serverless"),
    ],
)
def test_what_aws_excludes_from_serverless_is_refused(
    models: Models, changes: dict[str, int], members: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ClientError, match=complaint):
        models.config(without_instances(models.model(), **changes), **members)


def test_several_variants_are_refused_in_both_modes(models: Models) -> None:
    one, other = models.model(), models.model()
    with pytest.raises(ClientError, match="one production variant only"):
        models.config(without_instances(one), {**without_instances(other), "VariantName": "other"})
    with pytest.raises(ClientError, match="one production variant only"):
        models.config(variant(one), variant(other, "other"), AsyncInferenceConfig=inference())


@pytest.mark.parametrize("member", ["EnableNetworkIsolation", "VpcConfig"])
def test_an_isolated_model_is_refused_for_serverless(models: Models, member: str) -> None:
    shown = models.sagemaker.describe_model(ModelName=models.model())
    value = True if member == "EnableNetworkIsolation" else {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    isolated = models.name("isolated")
    models.sagemaker.create_model(
        ModelName=isolated,
        ExecutionRoleArn=shown["ExecutionRoleArn"],
        PrimaryContainer=shown["PrimaryContainer"],
        **{member: value},
    )
    with pytest.raises(ClientError, match="not supported for serverless"):
        models.config(without_instances(isolated))


def test_no_update_changes_how_an_endpoint_serves(models: Models) -> None:
    name = models.serving()
    for config in (
        models.config(without_instances(models.model())),
        models.config(variant(models.model()), AsyncInferenceConfig=inference()),
    ):
        with pytest.raises(ClientError, match="The endpoint is real-time; an update cannot make it"):
            models.update(name, config)


def test_a_queued_request_is_answered_in_s3(models: Models) -> None:
    name = asynchronous(models)

    found = send(models, name, InferenceId="first", Accept="application/json")

    assert found["InferenceId"] == "first"
    assert found["OutputLocation"].startswith(f"{OUTPUT}/")
    answer = json.loads(read(models, found["OutputLocation"]))
    assert answer == {"answer": "one", "Content-Type": "text/csv", "Accept": "application/json", "rows": "1,2"}


def test_a_failure_is_written_with_its_reason(models: Models) -> None:
    name = asynchronous(models)
    found = send(models, name, b"bad")
    assert b"client error (400)" in read(models, found["FailureLocation"])
    assert content(models, found["OutputLocation"]) is None


def test_a_request_that_cannot_be_read_fails(models: Models) -> None:
    name = asynchronous(models)
    found = models.aws.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=name, InputLocation=f"s3://{BUCKET}/async/input/never-written"
    )
    assert b"Failed to download" in read(models, found["FailureLocation"])


def test_an_asynchronous_endpoint_is_invoked_asynchronously_only(models: Models) -> None:
    name, other = asynchronous(models), models.serving()
    with pytest.raises(ClientError, match=r"ValidationError.*only receive asynchronous"):
        models.answer(name)
    with pytest.raises(ClientError, match=r"ValidationError.*no AsyncInferenceConfig"):
        send(models, other)


def test_data_capture_of_an_asynchronous_endpoint_is_refused(models: Models) -> None:
    with pytest.raises(ClientError, match="DataCaptureConfig is not supported"):
        models.config(variant(models.model()), AsyncInferenceConfig=inference(), DataCaptureConfig=CAPTURE)


def messages(models: Models, queue: str) -> list[dict[str, Any]]:
    found = models.aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(json.loads(one["Body"])["Message"]) for one in found]


@pytest.mark.parametrize(("body", "status"), [(b"1,2", "Completed"), (b"bad", "Failed")])
def test_topics_are_notified(models: Models, body: bytes, status: str) -> None:
    sns, sqs = models.aws.client("sns"), models.aws.client("sqs")
    topic = sns.create_topic(Name=models.name("topic"))["TopicArn"]
    queue = sqs.create_queue(QueueName=models.name("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    config = inference()
    config["OutputConfig"]["NotificationConfig"] = {"SuccessTopic": topic, "ErrorTopic": topic}
    name = asynchronous(models, config)

    found = send(models, name, body, InferenceId="told")

    (message,) = wait_until(lambda: messages(models, queue))
    assert (message["invocationStatus"], message["inferenceId"]) == (status, "told")
    assert message["requestParameters"]["endpointName"] == name
    place = message.get("responseParameters", {}).get("outputLocation")
    assert place == (found["OutputLocation"] if status == "Completed" else None)


def test_a_topic_that_does_not_exist_is_refused(models: Models) -> None:
    config = inference()
    config["OutputConfig"]["NotificationConfig"] = {"ErrorTopic": "arn:aws:sns:us-east-1:123456789012:nobody"}
    with pytest.raises(ClientError, match="does not exist"):
        models.config(variant(models.model()), AsyncInferenceConfig=config)


def scaled(models: Models, name: str, *, wake: bool = True) -> None:
    """Let Application Auto Scaling take all instances away, and with ``wake`` start the first one again."""
    scaling = models.aws.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/primary",
        "ScalableDimension": DIMENSION,
    }
    scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=2)
    dimensions = [{"Name": "EndpointName", "Value": name}]
    scaling.put_scaling_policy(
        **target,
        PolicyName=f"{name}-backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 2.0,
            "ScaleInCooldown": 0,
            "ScaleOutCooldown": 0,
            "CustomizedMetricSpecification": {
                "MetricName": "ApproximateBacklogSizePerInstance",
                "Namespace": "AWS/SageMaker",
                "Dimensions": dimensions,
                "Statistic": "Average",
            },
        },
    )
    if not wake:
        return
    policy = scaling.put_scaling_policy(
        **target,
        PolicyName=f"{name}-wake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 60,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    models.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-backlog",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[policy["PolicyARN"]],
    )


@pytest.fixture
def fast(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of autoscaling takes a moment."""
    monkeypatch.setattr(models.aws.sagemaker.async_invocations.scaling, "minute_seconds", 0.1)


@pytest.mark.usefixtures("fast")
def test_an_idle_endpoint_scales_to_zero_and_a_request_wakes_it(models: Models) -> None:
    name = asynchronous(models)
    scaled(models, name)
    wait_until(lambda: count(models, name) == 0 and not runs(models, name))

    found = send(models, name)

    assert json.loads(read(models, found["OutputLocation"]))["answer"] == "one"
    assert count(models, name) == 1
    wait_until(lambda: count(models, name) == 0)


def test_an_idle_endpoint_is_scaled_in_after_fifteen_minutes_of_the_clock(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaling = models.aws.sagemaker.async_invocations.scaling
    monkeypatch.setattr(scaling, "minute_seconds", 60)
    name = asynchronous(models)
    scaled(models, name, wake=False)
    wait_until(lambda: name in scaling._memory and scaling._memory[name].since)
    before = scaling._memory[name].looked

    models.aws.clock.advance(minutes=14)

    wait_until(lambda: scaling._memory[name].looked > before)
    assert count(models, name) == 1
    models.aws.clock.advance(minutes=1)
    wait_until(lambda: count(models, name) == 0)


@pytest.mark.usefixtures("fast")
def test_without_the_wake_policy_a_request_waits(models: Models) -> None:
    name = asynchronous(models)
    scaled(models, name, wake=False)
    wait_until(lambda: count(models, name) == 0)

    found = send(models, name, RequestTTLSeconds=60)
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "HasBacklogWithoutCapacity"}
    wait_until(lambda: name in str(models.aws.client("cloudwatch").list_metrics(**metric)["Metrics"]))
    assert count(models, name) == 0

    models.aws.account.clock.advance(61)
    assert b"expired" in read(models, found["FailureLocation"])


def test_an_instance_gets_no_more_requests_at_a_time_than_configured(models: Models) -> None:
    name = asynchronous(models, inference(MaxConcurrentInvocationsPerInstance=1))
    invocations = models.aws.sagemaker.async_invocations
    sent = [send(models, name) for _ in range(5)]
    most = 0
    while any(content(models, one["OutputLocation"]) is None for one in sent):
        most = max(most, invocations._queues[name].active)
    assert most <= 1


def test_only_an_asynchronous_endpoint_may_have_no_instances(models: Models) -> None:
    name = models.serving()
    with pytest.raises(ClientError, match="must be at least 1"):
        scaled(models, name)
    change = [{"VariantName": "primary", "DesiredInstanceCount": 0}]
    with pytest.raises(ClientError, match="at least 1"):
        models.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=change)


@pytest.mark.usefixtures("fast")
def test_a_release_cannot_retain_zero_instances(models: Models) -> None:
    name = asynchronous(models)
    scaled(models, name)
    wait_until(lambda: count(models, name) == 0)
    # Its count changes before the update that changes it has ended.
    wait_until(lambda: models.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    new = models.config(variant(models.model("two")), AsyncInferenceConfig=inference())
    with pytest.raises(ClientError, match="no instances to retain"):
        models.update(name, new, RetainAllVariantProperties=True)
    excluded = [{"VariantPropertyType": "DesiredInstanceCount"}]
    models.update(name, new, RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded)
    assert json.loads(read(models, send(models, name)["OutputLocation"]))["answer"] == "two"
