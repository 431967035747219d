"""Two pipelines applied by Terraform: one searches hyperparameters, one waits for its training by an event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_container import wait_until
from patience import PATIENCE_SECONDS
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_constructs.deployed import Execution
    from mlops_constructs.rehearsal.follow import Follower

pytestmark = pytest.mark.terraform
ENDED = ("Completed", "Failed", "Stopped")


class TwoPipelines(Site):
    """The deployed stack; what is done to a pipeline names it."""

    data = RehearsalData.iris()

    def start(self, name: str) -> tuple[Follower, str]:
        """Upload the data set; give the execution that it starts."""
        deployed = self.another(name)
        self.settle(deployed.name)
        known, follower = self.known(deployed.name), self.follower(deployed.name)
        self.data.upload(self.client("s3"), deployed.data_bucket, deployed.prefix)
        return follower, follower.wait_for_start(known, PATIENCE_SECONDS)

    def train(self, name: str) -> Execution:
        follower, execution = self.start(name)
        return follower.follow(execution)

    def change_training(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Deploy train_model with another document than the stack has."""
        self.change_document(f"{self.another(name).name}-train-model", change)

    def train_slowly(self, name: str) -> None:
        """Let the next training jobs make more trees than anyone waits for."""
        self.change_training(
            name, lambda document: document["training_job"]["HyperParameters"].update(n_estimators="1000000")
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoPipelines]:
    stack = synthesized(ROOT / "examples" / "training" / "main.py", tmp_path_factory.mktemp("synth"))
    with deployed_site(stack, TwoPipelines.data, pipeline="search") as site:
        site.rehearsal.build_image()
        assert site.follow_new(set(), site.another("patient").image_pipeline).status == "Succeeded"
        yield TwoPipelines(site.rehearsal, site.deployed, site.approver)


@pytest.fixture(scope="module")
def searched(site: TwoPipelines) -> Execution:
    outcome = site.train("search")
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


@pytest.fixture(scope="module")
def waited(site: TwoPipelines) -> Execution:
    # The first type has no instance: the second one trains.
    site.aws.sagemaker.training_jobs.capacity.refuse("ml.g5.2xlarge", 1)
    outcome = site.train("patient")
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


def search_of(site: TwoPipelines, execution_id: str) -> dict[str, Any]:
    digits = execution_id.replace("-", "")[:12]
    sagemaker = site.client("sagemaker")
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=digits)["HyperParameterTuningJobSummaries"]
    described: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=summary["HyperParameterTuningJobName"]
    )
    return described


def test_the_best_training_job_of_the_search_is_in_production(site: TwoPipelines, searched: Execution) -> None:
    search = search_of(site, searched.execution_id)
    assert search["TrainingJobStatusCounters"]["Completed"] == 3
    best = search["BestTrainingJob"]["TrainingJobName"]
    assert searched.variable("Train", "JobName") == best
    package = site.client("sagemaker").describe_model_package(
        ModelPackageName=searched.variable("Register", "ModelPackageArn")
    )
    assert best in json.dumps(package, default=str)
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == searched.variable("Train", "ModelDataUrl")


def test_the_searchs_name_fits_and_tells_the_execution(site: TwoPipelines, searched: Execution) -> None:
    name = search_of(site, searched.execution_id)["HyperParameterTuningJobName"]
    assert len(name) <= 32
    assert name.endswith(searched.execution_id.replace("-", "")[:12])


def test_07_a_job_without_capacity_was_trained_on_the_other_instance_type(
    site: TwoPipelines, waited: Execution
) -> None:
    sagemaker, name = site.client("sagemaker"), waited.variable("Train", "JobName")
    assert name.endswith("-r2")
    first = sagemaker.describe_training_job(TrainingJobName=name.removesuffix("-r2"))
    second = sagemaker.describe_training_job(TrainingJobName=name)
    assert first["FailureReason"].startswith("CapacityError")
    assert second["ResourceConfig"]["InstanceType"] == "ml.g5.4xlarge"
    assert "VolumeKmsKeyId" not in second["ResourceConfig"]


def test_the_long_training_ran_on_spot_instances_in_the_vpc(site: TwoPipelines, waited: Execution) -> None:
    job = site.client("sagemaker").describe_training_job(TrainingJobName=waited.variable("Train", "JobName"))
    assert job["EnableManagedSpotTraining"] is True
    assert job["VpcConfig"]["Subnets"] == ["subnet-0a1b2c3d", "subnet-4e5f6a7b"]
    name = site.another("patient").name
    assert job["CheckpointConfig"]["S3Uri"].endswith(f"/checkpoints/{name}/{waited.execution_id}")


def test_the_wait_was_ended_by_the_function_and_no_person_was_asked(site: TwoPipelines, waited: Execution) -> None:
    (wait,) = [action for action in waited.actions if action.name == "WaitForTraining"]
    assert wait.status == "Succeeded"
    assert "is over: Completed" in wait.summary
    assert not [evidence for evidence in site.approver.evidence if "Nothing to decide" in evidence]


def test_the_endpoints_model_is_in_the_vpc(site: TwoPipelines, waited: Execution) -> None:
    sagemaker = site.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=f"{site.another('patient').name}-production")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert model["VpcConfig"] == {
        "Subnets": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"],
        "SecurityGroupIds": ["sg-0a1b2c3d"],
    }


def test_14_stopping_an_execution_stops_its_training_job_and_no_other(site: TwoPipelines, waited: Execution) -> None:
    site.train_slowly("patient")
    follower, execution = site.start("patient")
    sagemaker, digits = site.client("sagemaker"), execution.replace("-", "")[:12]

    def job() -> dict[str, Any] | None:
        found = sagemaker.list_training_jobs(NameContains=digits)["TrainingJobSummaries"]
        return found[0] if found else None

    wait_until(lambda: (found := job()) is not None and found["SecondaryStatus"] == "Training")
    site.stop(execution, site.another("patient").name)

    assert follower.follow(execution).status == "Stopped"
    wait_until(lambda: (job() or {})["TrainingJobStatus"] in ENDED)
    assert (job() or {})["TrainingJobStatus"] == "Stopped"
    others = sagemaker.list_training_jobs(NameContains="patient-")["TrainingJobSummaries"]
    assert sum(one["TrainingJobStatus"] == "Stopped" for one in others) == 1


def test_stopping_an_execution_stops_its_search_with_all_its_jobs(site: TwoPipelines, searched: Execution) -> None:
    def many(document: dict[str, Any]) -> None:
        ranges = document["tuning_job"]["HyperParameterTuningJobConfig"]["ParameterRanges"]["IntegerParameterRanges"]
        (trees,) = [one for one in ranges if one["MaxValue"] == "60"]
        trees.update(MinValue="900000", MaxValue="999999")

    site.change_training("search", many)
    follower, execution = site.start("search")
    sagemaker, digits = site.client("sagemaker"), execution.replace("-", "")[:12]
    wait_until(
        lambda: any(
            one["SecondaryStatus"] == "Training"
            for one in sagemaker.list_training_jobs(NameContains=digits)["TrainingJobSummaries"]
        ),
    )

    site.stop(execution, site.another("search").name)

    assert follower.follow(execution).status == "Stopped"
    wait_until(lambda: search_of(site, execution)["HyperParameterTuningJobStatus"] == "Stopped")
    jobs = sagemaker.list_training_jobs(NameContains=digits)["TrainingJobSummaries"]
    assert {one["TrainingJobStatus"] for one in jobs} == {"Stopped"}
