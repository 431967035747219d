"""Every cell of the notebooks, against a deployed pipeline, from the disk that the start script filled."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from rehearsal.deployed_site import rehearsal_of
from rehearsal.notebook_cells import NotebookInstance

from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.rehearsal.rehearse import Rehearsal

pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with rehearsal_of("..", tmp_path_factory.mktemp("synth"), RehearsalData.iris()) as rehearsal:
        rehearsal.deploy()
        rehearsal.build_image()
        yield rehearsal


@pytest.fixture(scope="module")
def pipeline(rehearsal: Rehearsal) -> str:
    names = [one["name"] for one in rehearsal.aws.client("codepipeline").list_pipelines()["pipelines"]]
    return min(names, key=len)


@pytest.fixture(scope="module")
def instance(rehearsal: Rehearsal, pipeline: str, tmp_path_factory: pytest.TempPathFactory) -> NotebookInstance:
    return NotebookInstance(tmp_path_factory.mktemp("instance"), rehearsal.aws, pipeline)


@pytest.fixture(scope="module")
def printed(instance: NotebookInstance) -> dict[str, str]:
    """Run them in their order, as a person would."""
    return {path.stem: instance.execute(path) for path in instance.notebooks}


def test_the_start_put_the_three_notebooks_in_place(instance: NotebookInstance) -> None:
    assert [path.stem for path in instance.notebooks] == ["1_understand_the_data", "2_train", "3_decide"]


def test_the_data_is_understood_and_split(printed: dict[str, str]) -> None:
    assert "train: " in printed["1_understand_the_data"]
    assert "holdout: " in printed["1_understand_the_data"]


def test_the_pipeline_is_watched_until_a_person_is_asked(printed: dict[str, str]) -> None:
    assert "Train / Train" in printed["2_train"]
    assert "DeployDev / SmokeTest" in printed["2_train"]
    assert "Failed" not in printed["2_train"]


def test_the_evidence_and_the_answers_of_dev_are_read(printed: dict[str, str]) -> None:
    assert "validation:accuracy" in printed["3_decide"]
    accuracy = float(printed["3_decide"].partition(" of ")[0].split()[-1])
    assert accuracy > 0.8


def test_every_call_of_a_cell_is_one_that_the_role_may_make(
    rehearsal: Rehearsal, instance: NotebookInstance, printed: dict[str, str]
) -> None:
    role = instance.described["RoleArn"].rpartition("/")[2]
    document = rehearsal.aws.client("iam").get_role_policy(RoleName=role, PolicyName="permissions")["PolicyDocument"]
    policy = document if isinstance(document, dict) else json.loads(document)
    allowed: set[str] = set()
    for statement in policy["Statement"]:
        actions = statement["Action"]
        allowed |= {actions} if isinstance(actions, str) else set(actions)
    made = {f"{service}:{operation}" for service, operation, _ in instance.calls()}
    assert made
    assert made <= allowed


def test_no_cell_answers_the_approval(rehearsal: Rehearsal, pipeline: str, printed: dict[str, str]) -> None:
    codepipeline = rehearsal.aws.client("codepipeline")
    time.sleep(1)
    state = codepipeline.get_pipeline_state(name=pipeline)
    (approve,) = [
        action
        for stage in state["stageStates"]
        for action in stage["actionStates"]
        if (stage["stageName"], action["actionName"]) == ("Approve", "Approve")
    ]
    assert approve["latestExecution"]["status"] == "InProgress"
