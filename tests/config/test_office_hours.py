"""Office hours: validated at synth, as Application Auto Scaling would refuse them much later."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_constructs import Autoscaling, Endpoint, OfficeHours, Rollout
from mlops_constructs.config.office_hours import DAYS
from mlops_constructs.local_aws.schedules import Schedule


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        ({"days": "Monday"}, "days"),
        ({"days": "MON-"}, "days"),
        ({"days": "1-5"}, "days"),
        ({"begin": "7:00"}, "begin"),
        ({"begin": "24:00"}, "begin"),
        ({"end": "19.30"}, "end"),
        ({"begin": "19:00", "end": "07:00"}, "end"),
        ({"begin": "07:00", "end": "07:00"}, "end"),
        ({"time_zone": "CET"}, "time_zone"),
        ({"time_zone": "US/Eastern"}, "time_zone"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"min_capacity_outside": 0}, "min_capacity_outside"),
        ({"min_capacity_outside": 3, "max_capacity_outside": 2}, "max_capacity_outside"),
    ],
)
def test_what_aws_would_refuse_is_refused_here(given_: dict[str, Any], field: str) -> None:
    assert [problem.field for problem in OfficeHours(**given_).problems()] == [field]


@pytest.mark.parametrize(
    "given_",
    [
        {},
        {"days": "MON,WED-FRI", "begin": "00:00", "end": "23:59", "time_zone": "Europe/Berlin"},
        {"days": "SAT-MON", "time_zone": "Etc/GMT+9", "max_capacity_outside": 3},
    ],
)
def test_what_aws_takes_is_taken(given_: dict[str, Any]) -> None:
    assert list(OfficeHours(**given_).problems()) == []


def production(rollout: Rollout | None, **hours: int) -> Endpoint:
    scaling = Autoscaling(office_hours=OfficeHours(**hours))
    return Endpoint(initial_instance_count=2, autoscaling=scaling, rollout=rollout)


@pytest.mark.parametrize("rollout", [Rollout.canary(), Rollout.linear()])
def test_a_rollout_at_night_needs_its_two_instances(rollout: Rollout) -> None:
    (problem,) = production(rollout).problems()
    assert problem.field == "autoscaling.office_hours.min_capacity_outside"
    assert list(production(rollout, min_capacity_outside=2, max_capacity_outside=2).problems()) == []


@pytest.mark.parametrize("rollout", [None, Rollout.all_at_once()])
def test_all_at_once_needs_one(rollout: Rollout | None) -> None:
    assert list(production(rollout).problems()) == []


def test_a_queue_that_scales_to_zero_needs_no_office_hours() -> None:
    (problem,) = Autoscaling.on_backlog(office_hours=OfficeHours()).problems()
    assert problem.field == "office_hours"
    assert list(Autoscaling.on_backlog(min_capacity=1, office_hours=OfficeHours()).problems()) == []


def test_the_share_of_the_week() -> None:
    assert OfficeHours(days="MON-FRI", begin="07:00", end="19:00").share == pytest.approx(5 * 12 / 168)
    assert OfficeHours(days="SAT-MON,MON", begin="08:30", end="09:00").share == pytest.approx(3 * 0.5 / 168)


days = st.sampled_from(DAYS)
spans = st.one_of(days, st.tuples(days, days).map("-".join))
times = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda time: f"{time[0]:02}:{time[1]:02}")


@given(st.lists(spans, min_size=1, max_size=4).map(",".join), times, times)
def test_every_schedule_is_one_that_the_local_aws_knows(days: str, begin: str, end: str) -> None:
    hours = OfficeHours(days=days, begin=begin, end=end, time_zone="Europe/Berlin")
    for time in (begin, end):
        schedule = Schedule.parse(hours.cron(time), hours.time_zone)
        assert len(schedule.fields[4]) == len(hours._days())
