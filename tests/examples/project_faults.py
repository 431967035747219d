"""The tests of a project that inject faults: copied beside its main.py, and run there."""

from __future__ import annotations

from typing import TYPE_CHECKING

# region: settings
import pytest

from mlops_constructs.pytest_plugin import RehearsalSettings


@pytest.fixture(scope="session")
def rehearsal_settings() -> RehearsalSettings:
    return RehearsalSettings(docker=False, seed=7)
    # endregion


if TYPE_CHECKING:
    from mlops_constructs.local_aws.faults.faults import Faults
    from mlops_constructs.local_aws.local_aws import LocalAws
    from mlops_constructs.rehearsal.rehearsed import RehearsedPipeline


# region: tests
def test_a_release_survives_a_function_that_is_killed(rehearsal: RehearsedPipeline, faults: Faults) -> None:
    fault = faults.inject("kill:train_model:after=CreateTrainingJob")

    outcome = rehearsal.release()

    assert outcome.status == "Succeeded", outcome.reason
    assert fault.fired == 1
    assert "train-model was killed after" in fault.firings[0].what


def test_a_server_that_never_starts_leaves_the_old_model(
    rehearsal: RehearsedPipeline, local_aws: LocalAws, faults: Faults
) -> None:
    faults.inject("crash", "serving", name="production", times=99)

    outcome = rehearsal.release()

    assert outcome.status == "Failed"
    assert "did not pass the ping health check" in outcome.reason
    endpoint = local_aws.client("sagemaker").describe_endpoint(EndpointName=rehearsal.production_endpoint())
    assert endpoint["EndpointStatus"] == "InService"
    assert [one["release"] for one in rehearsal.releases()] == [1]
    # endregion


# region: clock
def test_an_approval_that_nobody_answers_for_a_day_expires_and_the_alarm_rings(
    rehearsal: RehearsedPipeline, local_aws: LocalAws, faults: Faults
) -> None:
    faults.inject("time:1d:at=Approve")

    outcome = rehearsal.release()

    assert outcome.status == "Failed"
    assert "nobody approved or rejected within 1440 minutes" in outcome.reason
    local_aws.clock.advance(minutes=1)
    assert state_of(local_aws, f"{rehearsal.name}-failed-executions") == "ALARM"
    local_aws.clock.advance(hours=1)
    assert state_of(local_aws, f"{rehearsal.name}-failed-executions") == "OK"


def state_of(local_aws: LocalAws, alarm: str) -> str:
    (found,) = local_aws.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return str(found["StateValue"])
    # endregion
