"""The rules of Alarms, and of the budget of Cost."""

from __future__ import annotations

from typing import Any

import pytest
from configuration import STRING_TOKEN, found
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs import Alarms, Cost

EMAILS = [f"{number}@example.org" for number in range(11)]
OFF = Alarms(max_server_error_percent=None, max_latency_ms=None, approval_reminder_percent=None)


@pytest.mark.parametrize("alarms", [Alarms(), OFF, Alarms(max_client_error_percent=0.5, max_server_error_percent=0)])
def test_alarms_can_be_changed_and_left_out(alarms: Alarms) -> None:
    assert found(alarms=alarms) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_server_error_percent", -0.1),
        ("max_server_error_percent", 99.1),
        ("max_client_error_percent", 100),
        ("max_latency_ms", 0),
        ("max_latency_ms", 60_001),
        ("min_requests", 0),
        ("approval_reminder_percent", 0),
        ("approval_reminder_percent", 100),
        ("approval_reminder_percent", STRING_TOKEN),
    ],
)
def test_a_limit_that_cannot_be_is_told(field: str, value: Any) -> None:
    assert [problem.field for problem in found(alarms=Alarms(**{field: value}))] == [f"alarms.{field}"]


@given(st.floats(0, 99), st.integers(1, 60_000), st.integers(1, 1_000_000), st.integers(1, 99))
def test_every_limit_in_its_range_is_taken(errors: float, latency: int, requests: int, percent: int) -> None:
    alarms = Alarms(
        max_server_error_percent=errors,
        max_latency_ms=latency,
        min_requests=requests,
        approval_reminder_percent=percent,
    )
    assert list(alarms.problems()) == []


def test_a_budget_with_ten_addresses_is_taken() -> None:
    assert found(cost=Cost(max_monthly_usd=500, budget_emails=EMAILS[:10])) == []


@pytest.mark.parametrize(
    ("cost", "field", "rule"),
    [
        (Cost(max_monthly_usd=500, budget_emails=["nobody"]), "cost.budget_emails[0]", "must be an e-mail address"),
        (Cost(max_monthly_usd=500, budget_emails=EMAILS), "cost.budget_emails", "must be at most 10 addresses"),
        (Cost(max_monthly_usd=500, budget_emails=EMAILS[:1] * 2), "cost.budget_emails", "must have each address once"),
        (Cost(budget_emails=EMAILS[:1]), "cost.budget_emails", "needs max_monthly_usd"),
    ],
)
def test_a_budget_that_cannot_be_is_told(cost: Cost, field: str, rule: str) -> None:
    assert [(problem.field, problem.rule) for problem in found(cost=cost)] == [(field, rule)]
