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


def test_an_approval_that_nobody_answers_for_a_week_expires(rehearsal: RehearsedPipeline, faults: Faults) -> None:
    faults.inject("time:7d:at=Approve")

    outcome = rehearsal.release()

    assert outcome.status == "Failed"
    assert "nobody approved or rejected within 10080 minutes" in outcome.reason
    # endregion


# region: clock
def test_the_pipeline_cannot_read_its_data_after_its_key_is_gone(
    rehearsal: RehearsedPipeline, local_aws: LocalAws
) -> None:
    kms = local_aws.client("kms")
    (key,) = (one["KeyId"] for one in kms.list_keys()["Keys"])
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    local_aws.clock.advance(days=6, hours=23)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"

    local_aws.clock.advance(hours=1)

    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=key)
    # endregion
