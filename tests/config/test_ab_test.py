"""The rules of A/B tests: each is told with its field, and the plan has what the statistics need."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from configuration import STRING_TOKEN, found

from handler_kit.ab_plan import Plan
from mlops_constructs import ABMetric, ABTest, DataCapture, Endpoint, StickyUsers

WITHOUT_CAPTURE = replace(Endpoint.for_production(), data_capture=None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"challenger_weight": 0.0}, "ab_test.challenger_weight"),
        ({"challenger_weight": 1.0}, "ab_test.challenger_weight"),
        ({"challenger_weight": STRING_TOKEN}, "ab_test.challenger_weight"),
        ({"level": 0.0}, "ab_test.level"),
        ({"level": 0.5}, "ab_test.level"),
        ({"minimum_sample": 5}, "ab_test.minimum_sample"),
        ({"maximum_days": 0.0}, "ab_test.maximum_days"),
        ({"maturity_window_in_hours": -1.0}, "ab_test.maturity_window_in_hours"),
        ({"maturity_window_in_hours": 0.0}, "ab_test.maturity_window_in_hours"),
        ({"guard": "yes"}, "ab_test.guard"),
        ({"looks_every_minutes": 1}, "ab_test.looks_every_minutes"),
        ({"sticky": StickyUsers(horizon_in_hours=0.0)}, "ab_test.sticky.horizon_in_hours"),
        ({"metric": ABMetric.accuracy(name="a b")}, "ab_test.metric.name"),
        ({"metric": ABMetric.value(low=1.0, high=1.0)}, "ab_test.metric.high"),
        ({"guardrails": [ABMetric.latency(max_latency_ms=0)]}, "ab_test.guardrails[0].max_latency_ms"),
        ({"guardrails": [ABMetric.server_errors(tolerance=0.0)]}, "ab_test.guardrails[0].tolerance"),
        ({"guardrails": [ABMetric.accuracy()]}, "ab_test.guardrails"),
        ({"sticky": StickyUsers(), "guardrails": [ABMetric.server_errors()]}, "ab_test.guardrails[0]"),
        ({"sticky": StickyUsers(), "metric": ABMetric.latency()}, "ab_test.metric"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(changes: dict[str, Any], field: str) -> None:
    assert [problem.field for problem in found(ab_test=ABTest(**changes))] == [field]


def test_the_defaults_have_no_problem() -> None:
    assert found(ab_test=ABTest()) == []


def test_metrics_of_one_kind_may_be_used_twice_under_two_names() -> None:
    twice = [ABMetric.latency(max_latency_ms=100, name="fast"), ABMetric.latency(max_latency_ms=500)]
    assert found(ab_test=ABTest(guardrails=twice)) == []


def test_outcomes_need_captured_requests() -> None:
    (problem,) = found(ab_test=ABTest(), production=WITHOUT_CAPTURE)
    assert problem.field == "ab_test.metric"
    assert "data_capture" in problem.rule


@pytest.mark.parametrize("metric", [ABMetric.server_errors(), ABMetric.latency()])
def test_what_cloudwatch_measures_needs_neither_capture_nor_a_window(metric: ABMetric) -> None:
    test = ABTest(metric=metric, maturity_window_in_hours=0.0)
    assert found(ab_test=test, production=WITHOUT_CAPTURE) == []
    assert found(ab_test=test, production=replace(WITHOUT_CAPTURE, data_capture=DataCapture())) == []


def test_inf1_has_no_deployment_guardrails() -> None:
    production = replace(Endpoint.for_production(), instance_type="ml.inf1.xlarge")
    (problem,) = found(ab_test=ABTest(), production=production)
    assert problem.field == "production.instance_type"
    assert found(production=production) == []


@pytest.mark.parametrize(
    "metric", [ABMetric.accuracy(), ABMetric.success(), ABMetric.value(low=0.0, high=9.0), ABMetric.server_errors()]
)
def test_the_plan_is_what_the_statistics_read(metric: ABMetric) -> None:
    plan = ABTest(metric=metric, guardrails=[ABMetric.latency(max_latency_ms=300)], challenger_weight=0.2).plan()
    read = Plan.from_json(plan["statistics"])
    assert (read.metric.name, read.challenger_weight) == (metric.title, 0.2)
    assert plan["sources"][metric.title]["measures"] == metric.measures
    assert plan["sources"]["in_time"] == {"measures": "latency", "max_latency_ms": 300}
