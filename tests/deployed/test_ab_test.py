"""What CloudWatch and SageMaker say about two variants, and what follows, where no local AWS can be in that state."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError
from lambdas.conftest import violations

from mlops_constructs import MlopsError
from mlops_constructs.deployed import ab_endpoint
from mlops_constructs.deployed.ab_endpoint import Endpoint, Observed, Variant
from mlops_constructs.deployed.ab_traffic import Traffic, traffic_of, window

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 86_400
_SESSION = botocore.session.get_session()


class Aws:
    """Clients that answer from a list of answers per operation, the last one again and again."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = {name: iter(given[:-1]) for name, given in answers.items()}
        self.last = {name: given[-1] for name, given in answers.items()}
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, service: str) -> Any:
        aws = self

        class Client:
            def __getattr__(self, name: str) -> Any:
                return lambda **request: aws.answer(service, name, request)

            def get_paginator(self, name: str) -> Any:
                return SimpleNamespace(paginate=lambda **request: aws.answer(service, name, request))

        return Client()

    def answer(self, service: str, name: str, request: dict[str, Any]) -> Any:
        model = _SESSION.get_service_model(service)
        operation = model.operation_model(next(one for one in model.operation_names if xform_name(one) == name))
        # Python cannot read the patterns of Application Auto Scaling; the local AWS checks its requests.
        assert service == "application-autoscaling" or violations(operation.input_shape, request) == []
        self.requests.append((name, request))
        found = next(self.answers[name], self.last[name])
        if isinstance(found, Exception):
            raise found
        return found


def described(status: str, primary: float = 0.9, reason: str = "") -> dict[str, Any]:
    variants = [
        {"VariantName": "primary", "CurrentWeight": primary, "CurrentInstanceCount": 2},
        {"VariantName": "secondary", "CurrentWeight": 1.0 - primary, "CurrentInstanceCount": 1},
    ]
    more = {"FailureReason": reason} if reason else {}
    return {"EndpointStatus": status, "EndpointConfigName": "c", "ProductionVariants": variants, **more}


def endpoint(aws: Aws, told: list[str] | None = None) -> Endpoint:
    outputs = [{"OutputKey": "EndpointName", "OutputValue": "iris"}]
    stack = {"Stacks": [{"StackName": "iris", "StackId": "arn", "StackStatus": "x", "Outputs": outputs}]}
    aws.answers["describe_stacks"], aws.last["describe_stacks"] = iter([]), stack
    pipeline: Any = SimpleNamespace(client=aws, stacks=("iris-dev", "iris"), retires_dev=True)
    return Endpoint(pipeline, [].append if told is None else told.append, lambda _: None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes a minute."""
    minutes = itertools.count()
    monkeypatch.setattr(ab_endpoint, "time", SimpleNamespace(monotonic=lambda: 60.0 * next(minutes)))


WANTED = {"primary": 0.5, "secondary": 0.5}


def test_weights_are_waited_for_until_they_are_read_back(clock: None) -> None:
    told: list[str] = []
    aws = Aws(describe_endpoint=[described("Updating"), described("Updating", 0.5), described("InService", 0.5)])
    endpoint(aws, told).wait_for_weights(WANTED)
    assert told == ["waiting for the weights of iris: Updating"] * 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            described("InService", 0.9, "no capacity"),
            "is InService again, but not with the requested weights: no capacity",
        ),
        (described("Failed", 0.9, "it broke"), "the endpoint iris is Failed (it broke)"),
        (described("Updating"), "the endpoint iris has been Updating for "),
    ],
    ids=["rolled back", "failed", "too long"],
)
def test_an_update_that_does_not_come_to_its_end_is_told(clock: None, answer: dict[str, Any], told: str) -> None:
    with pytest.raises(MlopsError, match="endpoint iris") as raised:
        endpoint(Aws(describe_endpoint=[described("Updating"), answer])).wait_for_weights(WANTED)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("share", "limits", "needed"),
    [(0.5, (1, 4), 2), (0.7, (1, 4), 3), (0.9, (1, 2), 2), (0.3, (1, 4), None), (0.3, (2, 4), 2), (0.9, None, None)],
)
def test_the_receiver_needs_its_share_of_all_instances_within_its_limits(
    share: float, limits: tuple[int, int] | None, needed: int | None
) -> None:
    target = {"MinCapacity": limits[0], "MaxCapacity": limits[1]} if limits else None
    aws = Aws(
        describe_scalable_targets=[{"ScalableTargets": [target] if target else []}],
        describe_endpoint=[described("InService")],
    )
    found = endpoint(aws)
    assert found.needed(found.state(), "secondary", share) == needed
    request = next(request for name, request in aws.requests if name == "describe_scalable_targets")
    assert request["ResourceIds"] == ["endpoint/iris/variant/secondary"]


def test_a_share_of_instances_that_is_a_whole_number_is_not_rounded_up() -> None:
    limits = {"MinCapacity": 1, "MaxCapacity": 200}
    aws = Aws(describe_scalable_targets=[{"ScalableTargets": [limits]}])
    variants = {"primary": Variant(weight=0.9, instances=99), "secondary": Variant(weight=0.1, instances=1)}
    seen = Observed(endpoint="iris", status="InService", config="c", variants=variants)
    # As a floating point number, 100 * 0.07 is a little more than 7.
    assert endpoint(aws).needed(seen, "secondary", 0.07) == 7


def test_single_precision_weights_are_the_weights_that_were_asked_for() -> None:
    variants = {"primary": Variant(weight=0.8999999761581421), "secondary": Variant(weight=0.10000000149011612)}
    seen = Observed(endpoint="iris", status="InService", config="c", variants=variants)
    assert seen.has({"primary": 0.9, "secondary": 0.1})
    assert not seen.has({"primary": 0.89, "secondary": 0.11})
    assert not seen.has({"primary": 1.0})


@pytest.mark.parametrize(
    ("age", "unit"), [(30, 60), (14 * DAY, 60), (16 * DAY, 300), (62 * DAY, 300), (64 * DAY, 3600), (365 * DAY, 3600)]
)
def test_the_period_is_one_that_cloudwatch_still_has(age: float, unit: int) -> None:
    now = 1_700_000_123.4
    start, end, period = window(now - age, now)
    assert start <= now - age
    assert end >= now
    assert start % unit == end % unit == period % unit == 0
    assert period == min(end - start, 30 * DAY)


def results(*variants: Callable[[str], list[float]]) -> dict[str, Any]:
    names = ("requests", "errors_4xx", "errors_5xx", "samples", "p50", "p90", "p99")
    found = [
        {"Id": f"{name}_{number}", "Values": values(name)} for number, values in enumerate(variants) for name in names
    ]
    return {"MetricDataResults": found}


def test_traffic_is_summed_over_periods_and_percentiles_are_weighted() -> None:
    values = {"requests": [10.0, 30.0], "errors_5xx": [1.0], "samples": [10.0, 30.0], "p50": [4000.0, 8000.0]}
    first = results(lambda name: values.get(name, [])[:1], lambda _: [])
    second = results(lambda name: values.get(name, [])[1:], lambda _: [])
    aws = Aws(get_metric_data=[[first, second]])
    found = traffic_of(aws, "iris", ["primary", "secondary"], 1_700_000_000.0, 1_700_001_000.0)
    assert found == {
        "primary": Traffic(requests=40, errors_4xx=0, errors_5xx=1, latency_ms={"p50": 7.0}),
        "secondary": Traffic(requests=0, errors_4xx=0, errors_5xx=0, latency_ms={}),
    }
    ((_, request),) = aws.requests
    dimensions = [{"Name": "EndpointName", "Value": "iris"}, {"Name": "VariantName", "Value": "secondary"}]
    queries = request["MetricDataQueries"]
    assert len(queries) == len({one["Id"] for one in queries}) == 14
    assert [one["MetricStat"]["Metric"]["Dimensions"] == dimensions for one in queries] == [False] * 7 + [True] * 7


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricData"),
        ReadTimeoutError(endpoint_url="https://monitoring"),
    ],
)
def test_metrics_that_cannot_be_read_are_told(error: Exception) -> None:
    with pytest.raises(MlopsError):
        traffic_of(Aws(get_metric_data=[error]), "iris", ["primary"], 1.0, 2.0)
