"""The command and the function that leave a pipeline agree with each other, and with what the stages make."""

from __future__ import annotations

import re

import pytest
from guard_destroy import left
from hypothesis import given
from hypothesis import strategies as st
from seed_repository import seed
from synthesis import synth

from mlops_constructs import Rollout
from mlops_constructs._aws.naming import physical_name
from mlops_constructs._aws.naming import tuning_prefix as named
from mlops_constructs._aws.tagging import PIPELINE_TAG
from mlops_constructs.deployed import made_commits, made_orphans, made_running
from mlops_constructs.deployed.made_running import REASON, tuning_prefix
from mlops_constructs.stages.deployment.alarms import rollback_alarms
from mlops_constructs.stages.deployment.slots import ONLY, TWO, Slot


def test_both_know_the_tag_and_the_alarms() -> None:
    assert made_orphans.TAG == left.TAG == PIPELINE_TAG
    assert made_orphans.ALARM == left.ALARM


def test_both_know_the_author_of_the_seed() -> None:
    assert made_commits.SEED_AUTHOR == seed.AUTHOR


@given(st.text("ab-0123456789cdefz", min_size=1, max_size=20))
def test_the_command_knows_the_names_of_tuning_jobs(prefix: str) -> None:
    name = physical_name(prefix, "a/path")
    assert tuning_prefix(name) == named(name)


@pytest.mark.parametrize("slot", [*ONLY, *TWO])
def test_the_alarms_of_the_templates_are_known_by_their_names(slot: Slot) -> None:
    alarms = rollback_alarms(Rollout(), slot, "real-time")
    assert alarms
    for logical_id, alarm in alarms.items():
        given_name = alarm["Properties"].get("AlarmName", {"Fn::Sub": f"${{EndpointName}}-{logical_id}-1A2B3C4D5E6F"})
        ending = given_name["Fn::Sub"].removeprefix("${EndpointName}-").replace("${AWS::StackName}-", "")
        assert re.fullmatch(left.ALARM, ending)


def test_no_alarm_of_terraform_has_such_a_name() -> None:
    stack = synth()
    ends = [
        one["alarm_name"].removeprefix(f"{stack.pipeline.name}-")
        for one in stack.all("aws_cloudwatch_metric_alarm").values()
    ]
    assert ends
    assert not [one for one in ends if re.fullmatch(rf"(dev|production)-({left.ALARM})", one)]


def test_codepipeline_takes_the_reason() -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DisableStageTransition.html
    assert re.fullmatch(r"[a-zA-Z0-9!@ \(\)\.\*\?\-]{1,300}", REASON)


def test_the_command_stops_every_kind_of_job_that_the_function_stops() -> None:
    assert {kind.name: kind.noun for kind in made_running._JOBS} == {
        kind: noun for kind, (_, noun) in left.JOBS.items()
    }
