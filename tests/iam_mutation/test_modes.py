"""What AWS does with a role in one mode of serving is asked of the endpoints of that mode only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from synthesis import synth

from iam_mutation.exceptions import SURVIVORS
from iam_mutation.mutate import RECORDED, mutate
from iam_mutation.programs import Program, program_of
from iam_mutation.requests import Recorded, read
from iam_mutation.tabled import tabled
from mlops_constructs import AsyncInferenceConfig, Endpoint

if TYPE_CHECKING:
    from iam_mutation.modes import Serving

DONE, FAILED = (f"arn:aws:sns:us-east-1:123456789012:{name}" for name in ("done", "failed"))
NOTIFYING = AsyncInferenceConfig(success_topic=DONE, error_topic=FAILED)


@pytest.fixture(scope="module")
def program() -> Program:
    """A pipeline whose endpoints serve in two modes, and notify."""
    production = Endpoint.asynchronous(async_inference_config=NOTIFYING)
    return program_of(synth(dev=Endpoint.serverless(), production=production).document)


@pytest.fixture(scope="module")
def asked(program: Program) -> set[Recorded]:
    return set(tabled(program))


def of(program: Program, stage: str) -> Serving:
    (pipeline,) = program.pipelines
    return pipeline.serving[stage]


def actions(program: Program, asked: set[Recorded], purpose: str) -> set[str]:
    (pipeline,) = program.pipelines
    return {one.action for one in asked if one.principal == pipeline.role(purpose)}


def test_the_mode_of_an_endpoint_is_read_from_what_its_stack_gets(program: Program) -> None:
    assert of(program, "dev").mode == "serverless"
    assert of(program, "production").mode == "asynchronous"
    assert of(program_of(synth().document), "production").mode == "real-time"


def test_a_serverless_endpoint_is_asked_for_its_sizes_and_for_no_instances(
    program: Program, asked: set[Recorded]
) -> None:
    (pipeline,) = program.pipelines
    deploy, made = pipeline.role("deploy-dev"), "sagemaker:CreateEndpointConfig"
    (keys,) = [dict(one.context) for one in asked if (one.principal, one.action) == (deploy, made)]
    assert keys["sagemaker:serverlessmemorysize"] == ("2048",)
    assert "sagemaker:instancetypes" not in keys
    assert not [one for one in actions(program, asked, "deploy-dev") if one.startswith(("cloudwatch:", "application-"))]


def test_only_an_asynchronous_endpoint_is_asked_for_a_queue_and_topics(program: Program, asked: set[Recorded]) -> None:
    assert "sagemaker:InvokeEndpointAsync" in actions(program, asked, "smoke-test-production")
    assert "sagemaker:InvokeEndpointAsync" not in actions(program, asked, "smoke-test-dev")
    assert {one.resource for one in asked if one.action == "sns:Publish"} >= {DONE, FAILED}
    assert "s3:PutObject" not in actions(program, asked, "model-dev")


def test_every_change_is_noticed_in_a_pipeline_of_two_modes(program: Program) -> None:
    outcome = mutate(program, read(RECORDED))
    assert [one.line() for one in (*outcome.denied, *outcome.allowed)] == []
    assert [one for one in outcome.survivors if not SURVIVORS.reason(one)] == []
