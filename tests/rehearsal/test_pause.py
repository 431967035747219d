"""DEV goes after each decision; production is paused and comes back; the next release brings both back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import wait_for
from patience import PATIENCE_SECONDS
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.local_aws.roles import role_credentials
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import Execution

GOLDEN = b"small,1\nlarge,19\n"
GOOD = b"small,1\nsmall,8\nlarge,11\nlarge,18\n"
pytestmark = pytest.mark.terraform


class ThriftySite(Site):
    """The deployed pipeline, and the person who may pause its endpoints."""

    def release(self, *, approve: bool = True) -> Execution:
        return self.run({"train": GOOD}, golden=GOLDEN, approve=approve)

    def stack(self, stage: str) -> dict[str, Any] | None:
        """Give the stack of an endpoint; None when there is none."""
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        return next((one for one in found if one["StackName"] == f"{self.pipeline}-{stage}"), None)

    def owner(self, stage: str) -> str:
        stack = self.stack(stage)
        assert stack is not None
        return next(one["ParameterValue"] for one in stack["Parameters"] if one["ParameterKey"] == "ExecutionId")

    def dev_is_gone(self) -> bool:
        names = [one["EndpointName"] for one in self.client("sagemaker").list_endpoints()["Endpoints"]]
        return self.stack("dev") is None and f"{self.pipeline}-dev" not in names

    def ask(self) -> bytes:
        runtime, name = self.client("sagemaker-runtime"), f"{self.pipeline}-production"
        answers = [
            runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=f"{value}\n".encode())[
                "Body"
            ].read()
            for value in range(20)
        ]
        return b"".join(answers)

    def model(self) -> tuple[str, str]:
        """Give image, with its digest, and model data that production serves."""
        sagemaker, name = self.client("sagemaker"), f"{self.pipeline}-production"
        config = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        container = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
        return container["Image"], container["ModelDataUrl"]

    def as_operator(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command with the role that was granted pausing."""
        role = self.client("iam").get_role(RoleName="night-watch")["Role"]["Arn"]
        found = role_credentials(self.aws.account, role, "a-person")
        credentials = {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }
        command = [sys.executable, "-m", "mlops_constructs", *arguments]
        environment = {**os.environ, **self.environment, **credentials}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThriftySite]:
    container = ROOT / "examples" / "evaluated" / "container"
    program = ROOT / "tests" / "rehearsal" / "pause_app.py"
    stack = synthesized(program, tmp_path_factory.mktemp("synth"), str(container))
    with deployed_site(stack, RehearsalData("pause", {"train": GOOD}, [])) as site:
        site.rehearsal.build_image()
        yield ThriftySite(site.rehearsal, site.deployed, site.approver)


def succeeded(outcome: Execution) -> Execution:
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


@pytest.fixture(scope="module")
def released(site: ThriftySite) -> Execution:
    return succeeded(site.release())


def test_dev_is_gone_after_the_approval_and_says_so(site: ThriftySite, released: Execution) -> None:
    wait_for(site.dev_is_gone)
    assert "Monthly cost with DEV" in site.approver.evidence[0]
    said = site.mlops("invoke", site.pipeline, "1", "--dev")
    assert (said.returncode, said.stdout) == (1, "")
    assert "is deleted after the decision; the next release brings it back" in said.stderr
    assert "the next release brings it back" in site.mlops("status", site.pipeline).stdout


@pytest.fixture(scope="module")
def paused(site: ThriftySite, released: Execution) -> tuple[bytes, tuple[str, str]]:
    """What production answered, and with which model, before it was paused."""
    before = (site.ask(), site.model())
    done = site.as_operator("pause", site.pipeline, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    return before


def test_paused_production_is_gone_and_its_releases_are_there(site: ThriftySite, paused: Any) -> None:
    assert site.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert (
        site.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
            "ScalableTargets"
        ]
        == []
    )
    listed = json.loads(site.mlops("releases", site.pipeline, "--json").stdout)
    assert len(listed["releases"] if isinstance(listed, dict) else listed) == 1
    assert "has been paused since" in site.mlops("status", site.pipeline).stdout
    assert "has been paused since" in site.mlops("invoke", site.pipeline, "1").stderr


def test_it_comes_back_with_the_same_answers_of_the_same_model(site: ThriftySite, paused: Any) -> None:
    done = site.as_operator("resume", site.pipeline)
    assert done.returncode == 0, done.stderr
    assert (site.ask(), site.model()) == paused
    again = site.as_operator("resume", site.pipeline)
    assert "already serves" in again.stdout


def test_a_rejected_release_leaves_no_dev_and_a_rollback_neither(site: ThriftySite, paused: Any) -> None:
    rejected = site.release(approve=False)
    assert rejected.status == "Failed"
    wait_for(site.dev_is_gone)
    site.approver.answer = True
    started = site.mlops("rollback", site.pipeline, "1", "--json")
    succeeded(site.follower().follow(json.loads(started.stdout)["execution_id"]))
    wait_for(site.dev_is_gone)


def test_a_release_over_a_paused_endpoint_brings_it_back_and_is_no_first_one(site: ThriftySite, paused: Any) -> None:
    assert site.as_operator("pause", site.pipeline, "--yes").returncode == 0
    outcome = succeeded(site.release())
    evidence = site.client("s3").get_object(
        Bucket=site.artifacts, Key=f"evidence/{site.pipeline}/{outcome.execution_id}.txt"
    )["Body"]
    assert "paused since" in evidence.read().decode()
    assert site.owner("production") == outcome.execution_id
    assert site.ask() == paused[0]
    assert "already serves" in site.as_operator("resume", site.pipeline).stdout


def test_late_and_foreign_events_leave_dev_while_it_is_needed_and_a_retried_approval_needs_none(
    site: ThriftySite, paused: Any
) -> None:
    wait_for(site.dev_is_gone)
    known = site.known()
    site.upload({"train": GOOD}, GOLDEN)
    execution = site.follower().wait_for_start(known, PATIENCE_SECONDS)
    executions = site.deployed.executions
    (asked,) = wait_for(lambda: [one for one in executions.execution(execution).actions if one.waits])
    for state, about in (("FAILED", execution), ("SUCCEEDED", next(iter(known))), ("SUCCEEDED", execution)):
        detail = {"pipeline": site.pipeline, "execution-id": about, "state": state}
        answer = site.client("lambda").invoke(
            FunctionName=f"{site.pipeline}-retire-dev", Payload=json.dumps({"detail": detail}).encode()
        )
        assert "FunctionError" not in answer
    assert site.owner("dev") == execution
    token = wait_for(lambda: executions.approval_token(asked))
    executions.answer(asked, token, approved=False, summary="not today")
    wait_for(lambda: executions.execution(execution).status == "Failed")
    wait_for(site.dev_is_gone)
    site.client("codepipeline").retry_stage_execution(
        pipelineName=site.pipeline, stageName="Approve", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    site.approver.answer = True
    succeeded(site.follower().follow(execution))
    assert site.owner("production") == execution
    assert site.dev_is_gone()
