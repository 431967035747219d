"""The rows of ``mlops cost`` come from what is deployed, and say what is unknown."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs.prices.amounts import Amount
from mlops_constructs.prices.book import CONFIGURED, UNKNOWN, PriceBook
from mlops_constructs.prices.rows import PER_GB, Row, metrics_of_alarm, monthly, rows_of

TRAINING: dict[str, Any] = {
    "training_job": {
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        "StoppingCondition": {"MaxRuntimeInSeconds": 7200},
    },
    "tuning_job": None,
    "fallback_instance_types": [],
    "hourly_prices_usd": {"ml.m5.xlarge": 0.2},
}
EVALUATION = {
    "processing_job": {
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}},
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
    }
}
FLEET = {
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 3,
    "Autoscales": "true",
    "MinCapacity": 2,
    "MaxCapacity": 4,
}
FIXED = {**FLEET, "Autoscales": "false"}


def rows(
    *documents: Any,
    endpoints: dict[str, dict[str, Any]] | None = None,
    notebook: tuple[str, int] | None = None,
    region: str | None = "us-east-1",
    own: dict[str, float] | None = None,
    alarm_metrics: int = 0,
) -> dict[str, Row]:
    book = PriceBook.of(region, own or {}, documents)
    return {row.part: row for row in rows_of(documents, endpoints or {}, notebook, book, 8, alarm_metrics)}


def test_every_metric_of_an_alarm_costs_every_month() -> None:
    row = rows(alarm_metrics=7)["alarms"]
    assert (row.amount, row.is_monthly) == (Amount(0.1, 0.1).times(7), True)
    assert rows(alarm_metrics=7, region="mars-north-1")["alarms"].amount is None
    assert "alarms" not in rows()


def test_an_expression_costs_what_its_metrics_cost() -> None:
    rate = [{"Id": "rate", "Expression": "a / b"}, {"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}]
    assert (metrics_of_alarm(rate), metrics_of_alarm([]), metrics_of_alarm(None)) == (2, 1, 1)


def test_a_training_costs_at_most_all_its_time() -> None:
    row = rows(TRAINING)["training"]
    assert (row.what, row.period, row.hourly) == ("2 x ml.m5.xlarge", "at most 2 h", Amount(0.4, 0.4))
    assert (row.amount, row.source) == (Amount(0, 0.8), CONFIGURED)


def test_a_search_costs_all_its_jobs() -> None:
    limits = {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 2, "MaxRuntimeInSeconds": 72_000}
    search = {**TRAINING, "tuning_job": {"HyperParameterTuningJobConfig": {"ResourceLimits": limits}}}
    row = rows(search)["hyperparameter search"]
    assert (row.period, row.amount) == ("at most 20 h of all its jobs", Amount(0, 8.0))


def test_the_most_expensive_type_that_may_train_counts() -> None:
    document = {**TRAINING, "fallback_instance_types": ["ml.g5.xlarge"]}
    row = rows(document)["training"]
    assert (row.what, row.hourly) == ("2 x ml.m5.xlarge or ml.g5.xlarge", Amount(2.816, 2.816))


def test_an_evaluation_job_has_the_price_of_processing() -> None:
    row = rows(EVALUATION)["evaluation"]
    assert (row.amount, row.source) == (Amount(0, 0.0575), "AWS price list (AmazonSageMaker), 2026-07-30")


@pytest.mark.parametrize(
    ("fleet", "what", "hourly"),
    [
        (FLEET, "2 to 4 x ml.m5.large", Amount(0.23, 0.46)),
        (FIXED, "3 x ml.m5.large", Amount(0.345, 0.345)),
        (
            {f"{slot}{name}": value for slot in ("Primary", "Secondary") for name, value in FLEET.items()},
            "2 to 4 x ml.m5.large and, in an A/B test, 2 to 4 x ml.m5.large",
            Amount(0.23, 0.92),
        ),
    ],
    ids=["scaled", "fixed", "two slots"],
)
def test_production_costs_from_one_fleet_to_both_slots(fleet: dict[str, Any], what: str, hourly: Amount) -> None:
    row = rows(endpoints={"production": fleet})["production endpoint"]
    assert row.what == what
    assert row.hourly is not None
    assert (row.hourly.least, row.hourly.most) == pytest.approx((hourly.least, hourly.most))
    assert row.amount == row.hourly.times(730)


def test_a_notebook_costs_the_hours_that_it_runs_and_its_volume_all_the_time() -> None:
    found = rows(notebook=("ml.t3.medium", 20), region="eu-west-1")
    assert found["notebook"].period == "a month of 8 h a day"
    assert found["notebook"].amount == Amount(0.055, 0.055).times(8 * 730 / 24)
    assert found["notebook's volume"].amount == Amount(3.08, 3.08)


def test_what_is_unknown_is_said_and_left_out_of_the_total() -> None:
    found = rows(endpoints={"dev": FIXED, "production": {**FLEET, "InstanceType": "ml.c5.large"}})
    assert (found["production endpoint"].amount, found["production endpoint"].source) == (None, UNKNOWN)
    assert monthly(found.values()) == (found["DEV endpoint"].amount, ["production endpoint"])


def test_storage_has_a_price_and_no_amount_of_data() -> None:
    assert (rows()["storage"].amount, rows()["storage"].period) == (Amount(0.023, 0.023), PER_GB)
    assert rows(region=None)["storage"].amount is None


def test_the_callers_price_wins_over_what_was_deployed() -> None:
    assert rows(TRAINING, own={"ml.m5.xlarge": 0.1})["training"].hourly == Amount(0.2, 0.2)


def test_the_price_that_was_deployed_wins_over_the_table() -> None:
    document = {"hourly_prices_usd": {"dev": {"ml.m5.large": 0.09}, "production": {"ml.m5.large": 0.115}}}
    found = rows(document, endpoints={"dev": FIXED, "production": FIXED})
    assert found["DEV endpoint"].source == CONFIGURED
    assert found["production endpoint"].source == "AWS price list (AmazonSageMaker), 2026-07-30"


amounts = st.none() | st.builds(Amount, st.floats(0, 1e6), st.floats(0, 1e6))
made = st.builds(Row, st.text(), st.text(), amounts, st.text(), amounts, st.text(), st.booleans())


@given(parts=st.lists(made, max_size=9))
def test_the_month_is_the_sum_of_the_known_parts_and_names_the_others(parts: list[Row]) -> None:
    together, unknown = monthly(parts)
    known = [row.amount for row in parts if row.is_monthly and row.amount is not None]
    assert math.isclose(together.least, math.fsum(one.least for one in known), abs_tol=1e-3)
    assert math.isclose(together.most, math.fsum(one.most for one in known), abs_tol=1e-3)
    assert len(known) + len(unknown) == sum(row.is_monthly for row in parts)


@given(count=st.integers(1, 500), more=st.integers(0, 500), price=st.floats(0, 100), dearer=st.floats(0, 100))
def test_more_instances_and_higher_prices_never_cost_less(count: int, more: int, price: float, dearer: float) -> None:
    def most(instances: int, usd: float) -> float:
        fleet = {**FIXED, "InitialInstanceCount": instances}
        amount = rows(endpoints={"dev": fleet}, own={"ml.m5.large": usd})["DEV endpoint"].amount
        assert amount is not None
        return amount.most

    assert most(count, price) <= most(count + more, price) <= most(count + more, price + dearer)


HOURS = {"production": {"MinCapacity": 1, "MaxCapacity": 2, "Share": 0.25}}


def run(max_dev_hours: float | None = None, office_hours: dict[str, Any] = HOURS) -> dict[str, Any]:
    """The document of the function that gathers the evidence."""
    return {"max_dev_hours": max_dev_hours, "office_hours": office_hours}


def always(fleet: dict[str, Any]) -> Amount | None:
    return rows(endpoints={"production": fleet})["production endpoint"].amount


def test_dev_costs_until_the_decision() -> None:
    row = rows(run(24), endpoints={"dev": FLEET})["DEV endpoint"]
    assert row.period == "a month with one release: until the decision, at most 24 h"
    assert (row.hourly, row.amount) == (Amount(0.23, 0.46), Amount(0, 0.46 * 24))


def test_a_dev_that_is_kept_costs_all_month() -> None:
    row = rows(run(), endpoints={"dev": FIXED})["DEV endpoint"]
    assert (row.period, row.amount) == ("a month", always(FIXED))


def test_outside_the_office_hours_other_capacities_cost() -> None:
    row = rows(run(), endpoints={"production": FLEET})["production endpoint"]
    assert row.period == "a month, 25% of it office hours"
    assert row.amount is not None
    # A quarter of the month 2 to 4 instances, and 1 to 2 in the rest.
    assert row.amount.least == pytest.approx(0.115 * 730 * (0.25 * 2 + 0.75 * 1))
    assert row.amount.most == pytest.approx(0.115 * 730 * (0.25 * 4 + 0.75 * 2))


def test_without_autoscaling_there_are_no_office_hours() -> None:
    row = rows(run(), endpoints={"production": FIXED})["production endpoint"]
    assert (row.period, row.amount) == ("a month", always(FIXED))


def test_a_paused_endpoint_costs_nothing() -> None:
    row = rows(run(), endpoints={"production": {**FLEET, "Paused": "2026-11-27T18:00:00+00:00"}})["production endpoint"]
    assert (row.what, row.amount) == ("2 to 4 x ml.m5.large, paused", Amount(0, 0))


@given(share=st.floats(0, 1), least=st.integers(1, 2), more=st.integers(0, 2))
def test_fewer_instances_outside_never_cost_more(share: float, least: int, more: int) -> None:
    hours = {"production": {"MinCapacity": least, "MaxCapacity": least + more, "Share": share}}
    found = rows(run(office_hours=hours), endpoints={"production": FLEET})["production endpoint"].amount
    whole = always(FLEET)
    assert found is not None
    assert whole is not None
    assert found.least <= whole.least + 1e-9
    assert found.most <= whole.most + 1e-9
