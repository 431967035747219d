"""Two pipelines in one account, one of them with everything handed in: applied by Terraform, and both run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.errors import RehearsalError
from mlops_constructs.rehearsal.choice import choose_pipeline
from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.rehearse import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.rehearsal.progress import Update

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "company"
pytestmark = pytest.mark.terraform


class Quiet:
    """Says yes, and says nothing else."""

    def update(self, update: Update) -> None:
        pass

    def log(self, line: str) -> None:
        pass

    def decide(self, evidence: str) -> bool:
        return True


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    output = tmp_path_factory.mktemp("synth")
    environment = {**os.environ, "CDKTF_OUTDIR": str(output)}
    subprocess.run([sys.executable, "main.py"], cwd=EXAMPLE, env=environment, check=True)
    stack = output / "stacks" / "company"
    with Rehearsal(stack, RehearsalData.iris(), Quiet(), pipeline="fraud", docker=False) as rehearsal:
        rehearsal.deploy()
        yield rehearsal


def test_the_pipeline_with_everything_handed_in_reaches_production(rehearsal: Rehearsal) -> None:
    rehearsal.build_image()
    rehearsal.run()
    rehearsal.ask_production()
    assert rehearsal.result.pipeline.startswith("fraud-")
    assert rehearsal.result.accuracy is not None
    assert rehearsal.result.accuracy > 0.8


def test_what_it_made_lies_in_the_bucket_that_was_handed_in(rehearsal: Rehearsal) -> None:
    s3 = rehearsal.aws.client("s3")
    (bucket,) = [one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("company-ml-")]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert [key for key in keys if key.startswith("models/fraud-")]
    assert not [key for key in keys if "trial" in key]


def test_its_training_ran_under_the_role_that_was_handed_in(rehearsal: Rehearsal) -> None:
    sagemaker = rehearsal.aws.client("sagemaker")
    (job,) = sagemaker.list_training_jobs(NameContains="fraud-")["TrainingJobSummaries"]
    described = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    assert described["RoleArn"].endswith(":role/company/company-ml-training")


def test_the_other_pipeline_saw_nothing_of_it(rehearsal: Rehearsal) -> None:
    codepipeline = rehearsal.aws.client("codepipeline")
    trial = choose_pipeline(rehearsal.aws.client, "trial")
    executions = codepipeline.list_pipeline_executions(pipelineName=trial.name)["pipelineExecutionSummaries"]
    # Only the one that CodePipeline starts by itself, which finds no data set.
    assert [execution["status"] for execution in executions] == ["Failed"]
    assert rehearsal.aws.client("sagemaker").list_training_jobs(NameContains="trial-")["TrainingJobSummaries"] == []


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [(None, "choose with --pipeline; the stack has: fraud-"), ("fraudulent", "has no pipeline 'fraudulent'")],
)
def test_the_choice_of_a_pipeline_must_be_clear(rehearsal: Rehearsal, wanted: str | None, reason: str) -> None:
    with pytest.raises(RehearsalError, match=reason):
        choose_pipeline(rehearsal.aws.client, wanted)


def test_everything_goes_in_the_end(rehearsal: Rehearsal) -> None:
    rehearsal.destroy()
    assert rehearsal.aws.client("iam").list_roles(PathPrefix="/company/")["Roles"] == []
