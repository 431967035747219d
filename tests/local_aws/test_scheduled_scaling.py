"""Scheduled actions of Application Auto Scaling: refused as AWS refuses them, and executed when they are due."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import local_aws, make_role, push_container, upload_model, wait_until, write_container

from mlops_constructs import Autoscaling, Endpoint, OfficeHours, Rollout
from mlops_constructs.local_aws.schedules import Schedule, ScheduleError
from mlops_constructs.stages.deployment.parameters import PARAMETERS
from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

NAME, BUCKET = "iris-production", "artifacts"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{NAME}/variant/primary",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
# Every day, so that a test that runs at a weekend sees the same.
NIGHT = OfficeHours(days="SUN-SAT", begin="07:00", end="19:00", time_zone="Europe/Berlin")


def config(hours: OfficeHours | None) -> Endpoint:
    scaling = Autoscaling(min_capacity=2, max_capacity=4, office_hours=hours)
    return Endpoint(initial_instance_count=3, autoscaling=scaling, rollout=Rollout.all_at_once())


class World:
    """One endpoint with office hours."""

    def __init__(self, aws: LocalAws, given: dict[str, str]) -> None:
        self.aws, self.given = aws, given
        self.api = aws.client("cloudformation")
        self.scaling = aws.client("application-autoscaling")

    def deploy(self, hours: OfficeHours | None) -> str:
        request = {
            "StackName": NAME,
            "TemplateBody": json.dumps(endpoint_template(config(hours))),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in self.given.items()],
        }
        try:
            self.api.create_stack(**request)
        except ClientError:
            self.api.update_stack(**request)
        wait_until(lambda: not self.status().endswith("_IN_PROGRESS"))
        return self.status()

    def status(self) -> str:
        return str(self.api.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"])

    def actions(self) -> dict[str, dict[str, Any]]:
        found = self.scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
        return {one["ScheduledActionName"]: one for one in found}

    def capacity(self) -> tuple[int, int, int]:
        """Minimum, maximum, and what there is."""
        (target,) = self.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        endpoint = self.aws.client("sagemaker").describe_endpoint(EndpointName=NAME)
        now = endpoint["ProductionVariants"][0]["CurrentInstanceCount"]
        return target["MinCapacity"], target["MaxCapacity"], now

    def advance_to(self, hour: int) -> None:
        """Move the clock to an hour of the next day, in Berlin."""
        now = datetime.fromtimestamp(self.aws.account.clock.time(), ZoneInfo(NIGHT.time_zone))
        wanted = (now + timedelta(days=1)).replace(hour=hour, minute=0, second=0)
        self.aws.account.clock.advance((wanted - now).total_seconds())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with local_aws() as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        given = {
            **{name: "x" for name in PARAMETERS},
            "Image": push_container(aws, write_container(tmp_path_factory.mktemp("container"))),
            "ModelDataUrl": upload_model(aws, BUCKET, "one.tar.gz", "one"),
            "ExecutionRoleArn": make_role(aws, "serving", "sagemaker.amazonaws.com"),
            "EndpointName": NAME,
            "EncryptVolume": "false",
        }
        world = World(aws, given)
        assert world.deploy(NIGHT) == "CREATE_COMPLETE"
        yield world


def test_the_stack_puts_both_actions(world: World) -> None:
    found = world.actions()
    assert {name: (one["Schedule"], one["Timezone"]) for name, one in found.items()} == {
        "office-hours-begin": ("cron(0 7 ? * SUN-SAT *)", "Europe/Berlin"),
        "office-hours-end": ("cron(0 19 ? * SUN-SAT *)", "Europe/Berlin"),
    }
    assert found["office-hours-begin"]["ScalableTargetAction"] == {"MinCapacity": 2, "MaxCapacity": 4}
    assert found["office-hours-end"]["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 1}


def test_in_the_evening_instances_go_and_in_the_morning_they_come_back(world: World) -> None:
    world.advance_to(20)
    wait_until(lambda: world.capacity() == (1, 1, 1))
    world.advance_to(8)
    wait_until(lambda: world.capacity() == (2, 4, 2))


def test_a_release_at_night_leaves_the_night(world: World) -> None:
    world.advance_to(22)
    wait_until(lambda: world.capacity() == (1, 1, 1))
    world.given["ModelDataUrl"] = upload_model(world.aws, BUCKET, "two.tar.gz", "two")
    assert world.deploy(NIGHT) == "UPDATE_COMPLETE"
    assert world.capacity() == (1, 1, 1)


def test_other_hours_change_the_actions_and_none_delete_them(world: World) -> None:
    assert world.deploy(OfficeHours(time_zone="UTC", max_capacity_outside=2)) == "UPDATE_COMPLETE"
    assert world.actions()["office-hours-end"]["Timezone"] == "UTC"
    assert world.deploy(None) == "UPDATE_COMPLETE"
    assert world.actions() == {}
    assert world.deploy(NIGHT) == "UPDATE_COMPLETE"
    assert len(world.actions()) == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ResourceId": "endpoint/another/variant/primary"}, "ObjectNotFoundException"),
        ({"Schedule": "cron(0 7 * * MON-FRI *)"}, "ValidationException"),
        ({"Schedule": "cron(0 7 ? * MON-FRI)"}, "ValidationException"),
        ({"Schedule": "cron(60 7 ? * MON-FRI *)"}, "ValidationException"),
        ({"Schedule": "0 7 * * 1-5"}, "ValidationException"),
        ({"Schedule": "rate(1 days)"}, "ValidationException"),
        ({"Timezone": "Europe/Atlantis"}, "ValidationException"),
        ({"ScalableTargetAction": {}}, "ValidationException"),
        ({"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}}, "ValidationException"),
        ({"ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 2}}, "ValidationException"),
    ],
)
def test_what_aws_refuses_is_refused(world: World, changed: dict[str, Any], code: str) -> None:
    good = {
        **TARGET,
        "ScheduledActionName": "night",
        "Schedule": "cron(0 7 ? * MON-FRI *)",
        "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2},
    }
    with pytest.raises(ClientError) as refused:
        world.scaling.put_scheduled_action(**{**good, **changed})
    assert refused.value.response["Error"]["Code"] == code
    assert "night" not in world.actions()


def test_a_deleted_stack_leaves_no_action(world: World) -> None:
    world.api.delete_stack(StackName=NAME)
    wait_until(lambda: world.actions() == {})


UTC = timezone.utc


@pytest.mark.parametrize(
    ("text", "zone", "until", "due"),
    [
        ("cron(0 7 ? * MON-FRI *)", None, datetime(2026, 11, 27, 9, tzinfo=UTC), datetime(2026, 11, 27, 7, tzinfo=UTC)),
        # A Sunday: the last time was on Friday.
        ("cron(0 7 ? * MON-FRI *)", None, datetime(2026, 11, 29, 9, tzinfo=UTC), datetime(2026, 11, 27, 7, tzinfo=UTC)),
        # In winter Berlin is one hour ahead of UTC, in summer two.
        (
            "cron(0 7 ? * * *)",
            "Europe/Berlin",
            datetime(2026, 11, 27, 9, tzinfo=UTC),
            datetime(2026, 11, 27, 6, tzinfo=UTC),
        ),
        (
            "cron(0 7 ? * * *)",
            "Europe/Berlin",
            datetime(2026, 7, 1, 9, tzinfo=UTC),
            datetime(2026, 7, 1, 5, tzinfo=UTC),
        ),
        (
            "cron(*/20 8-9 1 JAN ? 2026)",
            None,
            datetime(2026, 1, 2, tzinfo=UTC),
            datetime(2026, 1, 1, 9, 40, tzinfo=UTC),
        ),
        (
            "at(2026-01-01T08:00:00)",
            "Europe/Berlin",
            datetime(2026, 1, 2, tzinfo=UTC),
            datetime(2026, 1, 1, 7, tzinfo=UTC),
        ),
        ("rate(2 hours)", None, datetime(2026, 1, 2, 5, 30, tzinfo=UTC), datetime(2026, 1, 2, 4, tzinfo=UTC)),
    ],
)
def test_when_a_schedule_was_due(text: str, zone: str | None, until: datetime, due: datetime) -> None:
    schedule = Schedule.parse(text, zone)
    created = datetime(2026, 1, 1, tzinfo=UTC)
    assert schedule.latest(until - timedelta(days=4), until, created) == due
    assert schedule.latest(due, due + timedelta(seconds=59), created) is None


@pytest.mark.parametrize("text", ["cron(0 7 L * ? *)", "cron(0 7 ? * 6#3 *)", "cron(0 7 ? * MON-XXX *)"])
def test_what_is_not_known_is_refused_by_name(text: str) -> None:
    with pytest.raises(ScheduleError, match="the local AWS does not know"):
        Schedule.parse(text, None)
