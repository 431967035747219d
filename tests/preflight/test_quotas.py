"""Quotas are compared with what runs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from preflight import edge

from mlops_constructs.preflight.demands import Demand
from mlops_constructs.preflight.quotas import examine_quotas

if TYPE_CHECKING:
    from mlops_constructs.doctor import Finding

DEV = Demand("endpoint dev", "ml.m5.large", "endpoint", 1, 2)
PRODUCTION = Demand("endpoint production", "ml.m5.large", "endpoint", 2, 8)
NAME = "ml.m5.large for endpoint usage"
JUDGED = [(10, "good"), (9, "warning"), (3, "warning"), (2, "broken"), (0, "broken")]


def examined(applied: list[dict[str, Any]], default: list[dict[str, Any]], *wanted: Demand) -> list[Finding]:
    session = edge.session()
    edge.on(session, "service-quotas.ListServiceQuotas", edge.told({"Quotas": applied}))
    edge.on(session, "service-quotas.ListAWSDefaultServiceQuotas", edge.told({"Quotas": default}))
    return list(examine_quotas(session.client("service-quotas"), wanted, "us-east-1"))


def quota(value: float, name: str = NAME) -> dict[str, Any]:
    return {"QuotaName": name, "QuotaCode": "L-1", "Value": value}


@pytest.mark.parametrize(
    ("value", "state"), [(10, "good"), (9, "warning"), (3, "warning"), (2, "broken"), (0, "broken")]
)
def test_a_quota_is_shared_by_everything_of_its_kind(value: int, state: str) -> None:
    (finding,) = examined([quota(value)], [], DEV, PRODUCTION)
    assert (finding.thing, finding.state) == (f"quota {NAME}", state)
    assert ("--desired-value 10" in finding.remedy) == (state != "good")


def test_a_quota_without_a_value_of_its_own_has_the_default() -> None:
    assert [one.state for one in examined([], [quota(0)], DEV)] == ["broken"]
    assert [one.state for one in examined([quota(5)], [quota(0)], DEV)] == ["good"]


def test_spot_training_has_a_quota_of_its_own() -> None:
    spot = Demand("training job", "ml.m5.large", "spot training job", 1, 1)
    usual = quota(9, "ml.m5.large for training job usage")
    assert [one.state for one in examined([usual], [], spot)] == ["warning"]
    own = quota(1, "ml.m5.large for spot training job usage")
    assert [one.state for one in examined([usual, own], [], spot)] == ["good"]


def test_56_a_type_that_the_region_has_no_quota_for_is_told() -> None:
    (finding,) = examined([quota(9, "other")], [], DEV)
    assert finding.state == "warning"
    assert "there is no such quota in us-east-1" in finding.detail


def test_who_may_not_ask_is_told_which_right_is_missing() -> None:
    session = edge.session()
    edge.on(session, "service-quotas", edge.refused("AccessDeniedException", "not authorized"))
    (finding,) = examine_quotas(session.client("service-quotas"), [DEV], "us-east-1")
    assert finding.state == "warning"
    assert "Allow this identity servicequotas:ListServiceQuotas" in finding.remedy
