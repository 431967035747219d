"""`mlops rehearse --fault`: what a release survives, and that a fault that never happened is a failure."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from rehearse_process import MLOPS, start

if TYPE_CHECKING:
    from pathlib import Path

SURVIVED = (
    "refuse:sagemaker.CreateTrainingJob:ThrottlingException:times=2",
    "kill:train_model:after=CreateTrainingJob",
    "lose:sagemaker.CreateModelPackage:how=cut",
    "twice-function:record_release",
    "delay:sagemaker.DescribeEndpoint:seconds=1",
)
NEVER = "refuse:sagemaker.CreateTransformJob:ThrottlingException"


@pytest.mark.terraform
def test_a_release_survives_faults_and_one_that_never_happened_is_told(scratch: Path) -> None:
    faults = [part for fault in (*SURVIVED, NEVER) for part in ("--fault", fault)]
    process = start(scratch, "--approve", "--json", *faults)
    output, progress = process.communicate(timeout=1200)
    assert process.returncode == 1, progress
    result = json.loads(output)
    assert result["rows"] == 30, result
    fired = {one["fault"]: one["fired"] for one in result["faults"]}
    assert fired == {**dict.fromkeys(SURVIVED, 1), SURVIVED[0]: 2, NEVER: 0}
    assert "train-model was killed after sagemaker.CreateTrainingJob" in progress
    assert f"Faults | {NEVER} | failed (0.0 s): it has not happened" in progress
    assert f"these faults have not happened, so the rehearsal says nothing about them:\n  {NEVER}\n" in progress
    assert result["error"] in progress


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MLOPS, "rehearse", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--list-faults"], ["--fault", "help"]])
def test_the_faults_are_listed(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 0
    assert "refuse:OPERATION:CODE[:times=]" in done.stdout
    assert "kill: the process of a function gets SIGKILL" in done.stdout


def test_a_fault_that_aws_cannot_have_is_refused_before_anything_starts() -> None:
    done = run("--approve", "--fault", "refuse:sagemaker.CreateTrainingJob:NoSuchKey")
    assert done.returncode == 1
    assert "--fault 'refuse:sagemaker.CreateTrainingJob:NoSuchKey'" in done.stderr
    assert "returns no error 'NoSuchKey'; it returns:" in done.stderr
    assert "Synth" not in done.stdout


def test_a_fault_of_an_action_that_the_stack_has_not_is_refused_before_anything_is_deployed() -> None:
    done = run("--approve", "--fault", "time:1d:at=Aprove")
    assert done.returncode == 1
    assert "--fault 'time:1d:at=Aprove': time:1d:at=Aprove: no action is named 'Aprove'; there are: " in done.stderr
    assert "Approve" in done.stderr
    assert "Terraform" not in done.stdout
