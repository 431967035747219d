"""The metrics of each variant: what is published of an invocation, and how CloudWatch returns it."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import Models, models_of_an_account, variant
from local_aws.tiny_container import make_role

from mlops_constructs.local_aws.cloudwatch.metrics import KEPT_METRICS, KEPT_MINUTES, Metric, Metrics, Values
from mlops_constructs.local_aws.cloudwatch.pages import Point, Result, page_of
from mlops_constructs.local_aws.cloudwatch.statistics import is_statistic, statistic
from mlops_constructs.local_aws.roles import role_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = {
    "Invocations",
    "InvocationsPerInstance",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "ModelLatency",
    "OverheadLatency",
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with models_of_an_account(tmp_path_factory.mktemp("container")) as made:
        yield made


def two_variants(models: Models) -> str:
    """A configuration with champion, of weight 1, and challenger, of weight 0."""
    return models.config(
        variant(models.model("champion"), "champion"),
        variant(models.model("challenger"), "challenger", InitialVariantWeight=0.0, InitialInstanceCount=2),
    )


def serving(models: Models) -> str:
    name = models.endpoint(two_variants(models))
    assert models.settled(name)["EndpointStatus"] == "InService"
    return name


def around_now() -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    return {"StartTime": now - timedelta(hours=2), "EndTime": now + timedelta(hours=1)}


def dimensions(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def told(models: Models, stat: str, metric: str, *, unit: str = "", **values: str) -> float | None:
    """One statistic over three hours; None without data."""
    query = {
        "Id": "one",
        "MetricStat": {
            "Metric": {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions(**values)},
            "Period": 3 * 3_600,
            "Stat": stat,
            **({"Unit": unit} if unit else {}),
        },
    }
    cloudwatch = models.aws.client("cloudwatch")
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[query], **around_now())["MetricDataResults"]
    assert result["StatusCode"] == "Complete"
    return result["Values"][0] if result["Values"] else None


def test_every_invocation_is_counted_for_its_variant(models: Models) -> None:
    name = serving(models)
    for _ in range(5):
        models.answer(name)
    for _ in range(3):
        models.answer(name, TargetVariant="challenger")

    assert told(models, "Sum", "Invocations", EndpointName=name, VariantName="champion") == 5
    assert told(models, "Sum", "Invocations", EndpointName=name, VariantName="challenger") == 3
    assert told(models, "Sum", "InvocationsPerInstance", EndpointName=name, VariantName="challenger") == 1.5


def test_a_metric_is_one_combination_of_dimensions(models: Models) -> None:
    name = serving(models)
    models.answer(name)

    assert told(models, "Sum", "Invocations", EndpointName=name) is None
    assert told(models, "Sum", "Invocations", EndpointName=name, VariantName="challenger") is None
    assert told(models, "Sum", "Invocations", EndpointName="never-made", VariantName="champion") is None


def test_the_names_of_an_endpoint_have_one_metric(models: Models) -> None:
    name = serving(models)
    models.answer(name.upper())

    assert told(models, "Sum", "Invocations", EndpointName=name, VariantName="champion") == 1


def test_the_fleets_of_two_configurations_are_told_apart(models: Models) -> None:
    old, new = two_variants(models), two_variants(models)
    name = models.endpoint(old)
    models.settled(name)
    models.answer(name)
    models.update(name, new)
    for _ in range(2):
        models.answer(name)

    both = {"EndpointName": name, "VariantName": "champion"}
    assert told(models, "Sum", "Invocations", **both) == 3
    assert told(models, "Sum", "Invocations", **both, EndpointConfigName=old) == 1
    assert told(models, "Sum", "Invocations", **both, EndpointConfigName=new) == 2


def test_an_error_is_1_and_any_other_answer_0(models: Models) -> None:
    name = serving(models)
    runtime = models.aws.client("sagemaker-runtime")
    for body in (b"bad", b"1", b"1", b"1"):
        with suppress(ClientError):
            runtime.invoke_endpoint(EndpointName=name, Body=body)["Body"].close()

    both = {"EndpointName": name, "VariantName": "champion"}
    assert told(models, "Sum", "Invocation4XXErrors", **both) == 1
    assert told(models, "Average", "Invocation4XXErrors", **both) == 0.25  # the rate
    assert told(models, "Average", "Invocation5XXErrors", **both) == 0
    assert told(models, "Sum", "InvocationModelErrors", **both) == 1
    assert told(models, "Sum", "Invocations", **both) == 4


def test_a_container_that_does_not_respond_is_a_server_error(models: Models) -> None:
    name = serving(models)
    champion, _ = models.aws.sagemaker.endpoints.serving(name).variants
    champion.container.stop(0)

    with pytest.raises(ClientError, match="ModelError"):
        models.answer(name)

    both = {"EndpointName": name, "VariantName": "champion"}
    assert told(models, "Sum", "Invocation5XXErrors", **both) == 1
    assert told(models, "SampleCount", "ModelLatency", **both) == 1


def test_a_request_that_reaches_no_variant_is_not_counted(models: Models) -> None:
    name = serving(models)
    with pytest.raises(ClientError, match="Variant nobody not found"):
        models.answer(name, TargetVariant="nobody")

    listed = models.aws.client("cloudwatch").list_metrics(Dimensions=dimensions(EndpointName=name))["Metrics"]
    assert listed == []


def test_latencies_are_microseconds_of_each_request(models: Models) -> None:
    name = serving(models)
    began = time.monotonic()
    for _ in range(4):
        models.answer(name)
    passed = (time.monotonic() - began) * 1_000_000

    both = {"EndpointName": name, "VariantName": "champion"}
    model, overhead = (told(models, "Sum", metric, **both) for metric in ("ModelLatency", "OverheadLatency"))
    assert model is not None
    assert overhead is not None
    assert 4 <= model <= model + overhead <= passed
    assert told(models, "SampleCount", "ModelLatency", **both) == 4
    assert told(models, f"TC(:{passed + 1_000:.0f})", "ModelLatency", **both) == 4
    assert told(models, "PR(0:)", "ModelLatency", **both) == 100
    assert told(models, "SampleCount", "ModelLatency", unit="Microseconds", **both) == 4
    assert told(models, "SampleCount", "ModelLatency", unit="Milliseconds", **both) is None


def test_get_metric_statistics_returns_the_statistics_with_their_unit(models: Models) -> None:
    name = serving(models)
    for _ in range(3):
        models.answer(name)
    asked: dict[str, Any] = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": dimensions(VariantName="champion", EndpointName=name),
        "Period": 3 * 3_600,
        **around_now(),
    }
    cloudwatch = models.aws.client("cloudwatch")

    simple = cloudwatch.get_metric_statistics(MetricName="Invocations", Statistics=["Sum", "Maximum"], **asked)
    extended = cloudwatch.get_metric_statistics(
        MetricName="ModelLatency", ExtendedStatistics=["p50", "TC(0:)"], **asked
    )
    another = cloudwatch.get_metric_statistics(
        MetricName="ModelLatency", Statistics=["Sum"], Unit="Milliseconds", **asked
    )

    (counted,), (measured,) = simple["Datapoints"], extended["Datapoints"]
    assert simple["Label"] == "Invocations"
    assert (counted["Sum"], counted["Maximum"], counted["Unit"]) == (3, 1, "None")
    assert "Average" not in counted
    assert measured["Unit"] == "Microseconds"
    assert measured["ExtendedStatistics"]["TC(0:)"] == 3
    assert measured["ExtendedStatistics"]["p50"] > 0
    assert another["Datapoints"] == []


def test_metrics_are_listed_by_dimension(models: Models) -> None:
    config = two_variants(models)
    name = models.endpoint(config)
    models.settled(name)
    models.answer(name)
    cloudwatch = models.aws.client("cloudwatch")

    listed = cloudwatch.list_metrics(Namespace="AWS/SageMaker", Dimensions=dimensions(EndpointName=name))["Metrics"]
    of_config = cloudwatch.list_metrics(
        MetricName="Invocations", Dimensions=[{"Name": "EndpointConfigName", "Value": config}], RecentlyActive="PT3H"
    )["Metrics"]

    assert {one["MetricName"] for one in listed} == NAMES
    assert len(listed) == 2 * len(NAMES)
    (one,) = of_config
    assert {each["Name"]: each["Value"] for each in one["Dimensions"]} == {
        "EndpointName": name,
        "VariantName": "champion",
        "EndpointConfigName": config,
    }


def test_metrics_of_other_namespaces_are_read_beside_them(models: Models) -> None:
    name = serving(models)
    models.answer(name)
    cloudwatch = models.aws.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 7.0}])

    def query(id_: str, namespace: str, metric: str, **values: str) -> dict[str, Any]:
        asked = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions(**values)}
        return {"Id": id_, "MetricStat": {"Metric": asked, "Period": 3 * 3_600, "Stat": "Sum"}}

    orders = query("orders", "Shop", "Orders")
    own = query("requests", "AWS/SageMaker", "Invocations", EndpointName=name, VariantName="champion")

    for queries in ([orders], [orders, own]):
        results = cloudwatch.get_metric_data(MetricDataQueries=queries, **around_now())["MetricDataResults"]
        assert {one["Id"]: one["Values"] for one in results}["orders"] == [7.0]
    assert {one["Id"]: one["Values"] for one in results}["requests"] == [1.0]
    listed = cloudwatch.list_metrics()["Metrics"]
    assert {"AWS/SageMaker", "Shop"} <= {one["Namespace"] for one in listed}
    assert [one["MetricName"] for one in cloudwatch.list_metrics(Namespace="Shop")["Metrics"]] == ["Orders"]


def test_reading_metrics_takes_no_resource(models: Models) -> None:
    iam = models.aws.client("iam")
    make_role(models.aws, "reader", "lambda.amazonaws.com")
    credentials = role_credentials(models.aws.account, iam.get_role(RoleName="reader")["Role"]["Arn"], "test")
    cloudwatch = models.aws.client("cloudwatch", credentials)
    for resource, allowed in (("arn:aws:sagemaker:us-east-1:123456789012:endpoint/*", False), ("*", True)):
        statement = {"Effect": "Allow", "Action": "cloudwatch:ListMetrics", "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.put_role_policy(RoleName="reader", PolicyName="everything", PolicyDocument=document)
        if allowed:
            cloudwatch.list_metrics(Namespace="AWS/SageMaker")
        else:
            with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:ListMetrics"):
                cloudwatch.list_metrics(Namespace="AWS/SageMaker")


METRIC = Metric.of("AWS/SageMaker", "ModelLatency", {"EndpointName": "e"})


def published(*data: tuple[float, float]) -> Metrics:
    """Metrics with values, each with its time."""
    metrics = Metrics()
    for at, value in data:
        metrics.publish([(METRIC, "Microseconds", value)], at)
    return metrics


def sums(metrics: Metrics, start: float, end: float, seconds: int) -> dict[float, float]:
    return {at: values.total for at, values in metrics.periods(METRIC, start, end, seconds)}


def test_periods_begin_in_the_minute_of_the_start() -> None:
    metrics = published((59, 1), (60, 2), (119.9, 4), (120, 8), (300, 16), (360, 32))

    assert sums(metrics, 60, 360, 60) == {60: 6, 120: 8, 300: 16}
    assert sums(metrics, 75, 420, 120) == {60: 14, 300: 48}
    assert sums(metrics, 60, 301, 300) == {60: 30}  # the minute that begins before the end


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 5),
        ("Sum", 1_503_100),
        ("Average", 300_620),
        ("Minimum", 100),
        ("Maximum", 1_000_000),
        ("p0", 100),
        ("p40", 3_000),
        ("p50", 250_000),
        ("p100", 1_000_000),
        ("p99.9", 1_000_000),
        ("TC(:250000)", 4),  # the upper boundary is inclusive, the lower one exclusive
        ("TC(250000:)", 1),
        ("TC(100:250000)", 3),
        ("TC(5:7)", 0),
        ("PR(:250000)", 80),
        ("PR(100.0:3000)", 20),
    ],
)
def test_statistics(name: str, expected: float) -> None:
    values = Values()
    for value in (100, 250_000, 3_000, 250_000, 1_000_000):
        values.add(value)
    assert is_statistic(name)
    assert statistic(name)(values) == expected


def test_a_count_up_to_a_boundary_is_exact_though_values_are_rounded() -> None:
    metrics = published((0, 250_000), (0, 250_001), (0, 249_999), (0, 123_456))

    ((_, values),) = metrics.periods(METRIC, 0, 60, 60)

    assert statistic("TC(:250000)")(values) == 3
    assert statistic("TC(250000:)")(values) == 1
    assert values.total == 873_456
    assert statistic("p100")(values) == 250_001


def test_values_are_bounded_in_a_minute() -> None:
    metrics = published(*((0, value) for value in range(100_000, 140_000)))

    ((_, values),) = metrics.periods(METRIC, 0, 60, 60)

    assert (values.count, len(values.counts)) == (40_000, 41)


def test_the_newest_minutes_and_metrics_are_kept() -> None:
    metrics = published(*((minute * 60, 1) for minute in range(KEPT_MINUTES + 2)))
    assert len(sums(metrics, 0, 1e9, 60)) == KEPT_MINUTES
    assert min(sums(metrics, 0, 1e9, 60)) == 120

    others = [Metric.of("AWS/SageMaker", "ModelLatency", {"EndpointName": str(one)}) for one in range(KEPT_METRICS)]
    for other in others:
        metrics.publish([(other, "None", 1)], 0)
    assert list(metrics.known()) == others


def test_merged_periods_are_as_if_they_were_one() -> None:
    data = [(second, 7 * second % 11) for second in range(1, 600)]
    metrics = published(*data)

    ((_, merged),) = metrics.periods(METRIC, 0, 600, 600)

    whole = Values()
    for _, value in data:
        whole.add(value)
    assert merged == whole


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("oldest_first", [True, False])
def test_pages_return_every_point_once(limit: int, oldest_first: bool) -> None:
    points = {"a": [0, 60, 120], "b": [], "c": [0, 60]}
    results = [
        Result(name, name, [Point(at, at + 1) for at in sorted(times, reverse=not oldest_first)])
        for name, times in points.items()
    ]
    seen: dict[str, list[float]] = {name: [] for name in points}
    token, pages = None, 0
    while pages == 0 or token is not None:
        page = page_of(results, limit, token, oldest_first=oldest_first)
        sizes = 0
        for one in page["MetricDataResults"]:
            seen[one["Id"]] += [at.timestamp() for at in one["Timestamps"]]
            assert one["Values"] == [at.timestamp() + 1 for at in one["Timestamps"]]
            sizes += len(one["Values"])
        assert sizes <= limit
        token, pages = page.get("NextToken"), pages + 1
        partial = any(one["StatusCode"] == "PartialData" for one in page["MetricDataResults"])
        assert partial == (token is not None)
    assert {name: sorted(times) for name, times in seen.items()} == points
    assert pages == max(1, -(-5 // limit))


def test_pages_of_get_metric_data(models: Models) -> None:
    name = serving(models)
    models.answer(name)
    models.answer(name, TargetVariant="challenger")
    queries = [
        {
            "Id": one,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": "Invocations",
                    "Dimensions": dimensions(EndpointName=name, VariantName=one),
                },
                "Period": 3 * 3_600,
                "Stat": "Sum",
            },
            "ReturnData": one != "nobody",
        }
        for one in ("nobody", "champion", "challenger")
    ]
    asked = {"MetricDataQueries": queries, "MaxDatapoints": 1, "ScanBy": "TimestampAscending", **around_now()}
    cloudwatch = models.aws.client("cloudwatch")

    first = cloudwatch.get_metric_data(**asked)
    second = cloudwatch.get_metric_data(NextToken=first["NextToken"], **asked)

    assert [(one["Id"], one["Values"]) for one in first["MetricDataResults"]] == [("champion", [1]), ("challenger", [])]
    assert [one["StatusCode"] for one in first["MetricDataResults"]] == ["Complete", "PartialData"]
    assert [(one["Id"], one["Values"]) for one in second["MetricDataResults"]] == [
        ("champion", []),
        ("challenger", [1]),
    ]
    assert "NextToken" not in second


def test_alarms_are_found_by_prefix_and_state_together(models: Models) -> None:
    cloudwatch = models.aws.client("cloudwatch")
    for name in ("found-1", "found-2", "other-1"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Ours",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    for name in ("found-1", "other-1"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    found = cloudwatch.describe_alarms(AlarmNamePrefix="found-", StateValue="ALARM")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in found] == ["found-1"]
    assert len(cloudwatch.describe_alarms(AlarmNamePrefix="found-")["MetricAlarms"]) == 2
