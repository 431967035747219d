"""Data sets in a bucket that is handed in: the workshop's zip, a contract, a schedule, ten uploads at once."""

from __future__ import annotations

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lambdas.test_training_job_zip import workshop_deployment, workshop_job
from local_aws.tiny_pipeline import wait_for
from rehearsal.centroids import write_centroids
from rehearsal.deployed_site import Site, deployed_site, synthesized

from mlops_constructs.cli.main import main
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import Execution

INPUTS = "sagemaker-us-east-1-123456789012"
pytestmark = pytest.mark.terraform


class Lake(Site):
    """The deployed stack, whose data set is one object."""

    iris = RehearsalData.iris()

    def train(self, key: str, body: bytes, *, approve: bool = False) -> Execution:
        """Upload an object, and follow the execution that it starts to its end."""
        self.approver.answer = approve
        known = self.known()
        self.put(key, body)
        return self.follow_new(known)

    def small(self, extra: int = 0) -> bytes:
        """Give some rows of each species; another number gives other content."""
        lines = self.iris.channels["train"].splitlines(keepends=True)
        return b"".join(lines[: 60 + extra])

    def mislabelled(self, extra: int = 0) -> bytes:
        """Give as many rows with names that mean nothing: a model learns, and the gate refuses it."""
        names = [b"setosa", b"versicolor", b"virginica"]
        rows = [line.split(b",", 1)[1] for line in self.small(extra).splitlines(keepends=True)]
        return b"".join(names[number % 3] + b"," + row for number, row in enumerate(rows))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    output = tmp_path_factory.mktemp("synth")
    container = write_centroids(output / "container")
    stack = synthesized(Path(__file__).with_name("lake_app.py"), output / "out", str(container))
    with deployed_site(stack, Lake.iris) as site:
        site.rehearsal.build_image()
        site.settle()
        yield Lake(site.rehearsal, site.deployed, site.approver)
        site.rehearsal.destroy()


def test_nothing_of_the_handed_in_bucket_is_changed_but_its_notifications(lake: Lake) -> None:
    s3, bucket = lake.client("s3"), lake.deployed.data_bucket
    assert bucket == "team-lake"
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)
    with pytest.raises(Exception, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_the_workshops_zip_goes_to_production_as_it_asks(lake: Lake) -> None:
    s3 = lake.client("s3")
    for channel, body in lake.iris.channels.items():
        s3.put_object(Bucket=INPUTS, Key=f"iris-model/input/{channel}/{channel}.csv", Body=body)
    image = lake.image().partition("@")[0]
    job = workshop_job(AlgorithmSpecification={"TrainingImage": f"{image}:latest", "TrainingInputMode": "File"})
    for one in job["InputDataConfig"]:
        one["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{INPUTS}/iris-model/input/{one['ChannelName']}"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("trainingjob.json", json.dumps(job))
        archive.writestr("deployment.json", json.dumps(workshop_deployment()))
    outcome = lake.train("training_jobs/iris_model/trainingjob.zip", buffer.getvalue(), approve=True)
    assert outcome.status == "Succeeded", outcome.reason
    sagemaker = lake.client("sagemaker")
    trained = sagemaker.describe_training_job(TrainingJobName=outcome.variable("Train", "JobName"))
    assert trained["HyperParameters"] == {"max_depth": "20", "n_jobs": "4", "n_estimators": "120"}
    assert trained["ResourceConfig"]["InstanceType"] == "ml.m4.xlarge"
    assert trained["StoppingCondition"]["MaxRuntimeInSeconds"] == 82_800
    configs = {name: config_of(sagemaker, f"{lake.pipeline}-{name}") for name in ("dev", "production")}
    assert configs["dev"]["ProductionVariants"][0]["InstanceType"] == "ml.t2.large"
    assert "DataCaptureConfig" not in configs["dev"]
    assert configs["production"]["ProductionVariants"][0]["InstanceType"] == "ml.c5.large"
    assert configs["production"]["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    scaling = lake.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 200.0


def config_of(sagemaker: Any, endpoint: str) -> dict[str, Any]:
    name = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    described: dict[str, Any] = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    return described


def test_data_that_breaks_the_contract_fails_with_the_column_named_before_any_training(lake: Lake) -> None:
    jobs = lake.trainings()
    outcome = lake.train("training_jobs/bad.csv", lake.small() + b"setosa,5.1,tall,1.4,0.2\n")
    assert outcome.status == "Failed"
    assert outcome.reason.startswith("Prepare / CheckDataset: s3://team-lake/training_jobs/bad.csv")
    assert "line 61, column 3 (sepal_width): 'tall' is not a number" in outcome.reason
    assert lake.trainings() == jobs


def test_a_manifest_that_reads_beyond_the_folders_is_refused(lake: Lake) -> None:
    outcome = lake.train("training_jobs/set.json", b'{"channels": {"train": ["private/a.csv"]}}')
    assert "s3://team-lake/private/a.csv: this pipeline may not read it" in outcome.reason


def test_the_schedule_starts_on_the_newest_data_set(lake: Lake) -> None:
    lake.aws.clock.advance(seconds=1)  # S3 tells the age of an object in whole seconds
    outcome = lake.train("training_jobs/newest.csv", lake.small(1))
    version = outcome.variable("Dataset", "VersionId")
    known = lake.known()
    lake.aws.events.fire(f"{lake.pipeline}-on-schedule")
    again = lake.follow_new(known)
    assert again.variable("Dataset", "VersionId") == version
    assert again.variable("Train", "JobName") not in ("", outcome.variable("Train", "JobName"))


def test_02_ten_uploads_at_once_train_ten_times_on_ten_versions_in_order(lake: Lake) -> None:
    known = lake.known()
    versions = [lake.put("training_jobs/ten.csv", lake.mislabelled(number)) for number in range(10, 20)]
    trained, checksums = [], []
    for _ in versions:
        outcome = lake.follow_new(known)
        known.add(outcome.execution_id)
        trained.append(outcome.variable("Dataset", "VersionId"))
        job = outcome.variable("Train", "JobName")
        described = lake.client("sagemaker").describe_training_job(TrainingJobName=job)
        assert described["TrainingJobStatus"] == "Completed"
        checksums.append(outcome.variable("CheckDataset", "Sha256"))
    assert trained == versions
    assert len(set(checksums)) == 10


@pytest.fixture
def at_home(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The commands' environment, as `mlops rehearse --keep` prints it."""
    for name, value in lake.environment.items():
        monkeypatch.setenv(name, value)
    return lake


def test_files_are_uploaded_with_the_manifest_last_and_the_execution_is_told(
    at_home: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for channel, body in at_home.iris.channels.items():
        (tmp_path / "set" / channel / "2026").mkdir(parents=True)
        (tmp_path / "set" / channel / "2026" / "größe 1.csv").write_bytes(body)
    code = main(["upload", at_home.pipeline, str(tmp_path / "set"), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    outcome = at_home.follower().follow(told["execution_id"])
    assert outcome.variable("Dataset", "VersionId") == told["version_id"]
    assert outcome.variable("CheckDataset", "Channels") == "train,validation"
    bucket, _, folder = outcome.variable("CheckDataset", "DatasetUri").removeprefix("s3://").partition("/")
    at_home.rehearsal.aws.client("s3").head_object(Bucket=bucket, Key=f"{folder}/train/2026/größe 1.csv")
    assert outcome.variable("Train", "JobName")


def test_a_person_starts_on_an_older_version(at_home: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    known = at_home.known()
    old = at_home.put("training_jobs/twice.csv", at_home.mislabelled(2))
    at_home.put("training_jobs/twice.csv", at_home.mislabelled(3))
    for _ in range(2):
        known.add(at_home.follow_new(known).execution_id)
    code = main(["start", at_home.pipeline, "--key", "training_jobs/twice.csv", "--version-id", old, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert at_home.follower().follow(told["execution_id"]).variable("Dataset", "VersionId") == old


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--key", "training_jobs/none.csv"], "the object s3://team-lake/training_jobs/none.csv does not exist"),
        (["--key", "elsewhere/a.csv"], "does not begin with training_jobs/"),
        (["--key", "training_jobs/bad.csv", "--version-id", "none"], "version none"),
    ],
)
def test_a_wrong_start_is_refused_before_it_is_asked_for(
    at_home: Lake, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    known = at_home.known()
    assert main(["start", at_home.pipeline, *arguments]) == 1
    assert problem in capsys.readouterr().err
    assert at_home.known() == known


def test_many_uploads_in_parallel_lose_none(lake: Lake) -> None:
    known = lake.known()
    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda n: lake.put(f"training_jobs/p{n}.csv", b"setosa\n"), range(4)))
    wait_for(lambda: len(lake.known() - known) == 4)
    ended = [lake.follower().follow(execution) for execution in lake.known() - known]
    assert {outcome.variable("Dataset", "VersionId") for outcome in ended} == set(versions)
