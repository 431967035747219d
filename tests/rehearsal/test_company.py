"""Two pipelines in one account, one of them with everything handed in: applied by Terraform, and both run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.errors import RehearsalError
from mlops_constructs.rehearsal.choice import choose_pipeline
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    stack = synthesized(ROOT / "examples" / "company" / "main.py", tmp_path_factory.mktemp("synth"))
    with deployed_site(stack, RehearsalData.iris(), pipeline="fraud") as site:
        yield site


def test_the_pipeline_with_everything_handed_in_reaches_production(site: Site) -> None:
    site.rehearsal.build_image()
    site.rehearsal.run()
    site.rehearsal.ask_production()
    assert site.rehearsal.result.pipeline.startswith("fraud-")
    assert site.rehearsal.result.metrics["accuracy"] > 0.8


def test_what_it_made_lies_in_the_bucket_that_was_handed_in(site: Site) -> None:
    s3 = site.client("s3")
    (bucket,) = [one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("company-ml-")]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert [key for key in keys if key.startswith("models/fraud-")]
    assert not [key for key in keys if "trial" in key]


def test_its_training_ran_under_the_role_that_was_handed_in(site: Site) -> None:
    sagemaker = site.client("sagemaker")
    (job,) = sagemaker.list_training_jobs(NameContains="fraud-")["TrainingJobSummaries"]
    described = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    assert described["RoleArn"].endswith(":role/company/company-ml-training")


def test_the_other_pipeline_saw_nothing_of_it(site: Site) -> None:
    trial = site.another("trial")
    executions = site.follower(trial.name).executions.newest()
    # Only the one that CodePipeline starts by itself, which finds no data set.
    assert [execution["status"] for execution in executions] == ["Failed"]
    assert site.client("sagemaker").list_training_jobs(NameContains="trial-")["TrainingJobSummaries"] == []


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [(None, "choose with --pipeline; the stack has: fraud-"), ("fraudulent", "has no pipeline 'fraudulent'")],
)
def test_the_choice_of_a_pipeline_must_be_clear(site: Site, wanted: str | None, reason: str) -> None:
    with pytest.raises(RehearsalError, match=reason):
        choose_pipeline(site.client, wanted)


def test_58_everything_goes_in_the_end(site: Site) -> None:
    site.rehearsal.destroy()
    assert site.client("iam").list_roles(PathPrefix="/company/")["Roles"] == []
