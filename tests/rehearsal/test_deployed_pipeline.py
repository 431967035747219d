"""The deployed pipeline under good and bad data, algorithms and decisions. One deployment serves all tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.follow import Follower
from mlops_constructs.rehearsal.rehearse import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import DeployedPipeline, Execution
    from mlops_constructs.rehearsal.progress import Update

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.terraform


class Approver:
    """Watches in silence, keeps the evidence, and answers as told."""

    def __init__(self) -> None:
        self.answer = True
        self.evidence: list[str] = []
        self.updates: list[Update] = []

    def update(self, update: Update) -> None:
        self.updates.append(update)

    def log(self, line: str) -> None:
        pass

    def decide(self, evidence: str) -> bool:
        self.evidence.append(evidence)
        return self.answer


class Site:
    """A deployed stack, and what a person does to it with boto3."""

    def __init__(self, rehearsal: Rehearsal, deployed: DeployedPipeline, approver: Approver) -> None:
        self.rehearsal, self.deployed, self.approver = rehearsal, deployed, approver
        self.client = rehearsal.aws.client

    def follower(self, pipeline: str | None = None) -> Follower:
        name = self.deployed.name if pipeline is None else pipeline
        return Follower(self.client, name, self.approver, time.sleep)

    def upload(self, channels: dict[str, bytes], golden: bytes | None = None) -> str:
        """Put a data set into the bucket, manifest last; give the manifest's version."""
        s3, bucket, folder = self.client("s3"), self.deployed.data_bucket, f"data/{uuid.uuid4().hex}"
        manifest: dict[str, Any] = {"channels": {}}
        for channel, body in channels.items():
            s3.put_object(Bucket=bucket, Key=f"{folder}/{channel}.csv", Body=body)
            manifest["channels"][channel] = [f"{folder}/{channel}.csv"]
        if golden is not None:
            s3.put_object(Bucket=bucket, Key=f"{folder}/golden.csv", Body=golden)
            manifest["golden"] = {"key": f"{folder}/golden.csv"}
        answer = s3.put_object(Bucket=bucket, Key=f"{self.deployed.prefix}set.json", Body=json.dumps(manifest).encode())
        version: str = answer["VersionId"]
        return version

    def run(self, channels: dict[str, bytes], *, approve: bool = True, golden: bytes | None = None) -> Execution:
        """Upload, and follow the execution that it starts to its end."""
        self.approver.answer = approve
        follower = self.follower()
        known = follower.executions.ids()
        self.upload(channels, golden)
        return follower.follow(follower.wait_for_start(known, 20))

    def package(self, outcome: Execution) -> dict[str, Any]:
        arn = outcome.variable("Register", "ModelPackageArn")
        described: dict[str, Any] = self.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return described

    def failed_action(self, stage: str, action: str) -> str:
        """Give the failure message that GetPipelineState shows."""
        state = self.client("codepipeline").get_pipeline_state(name=self.deployed.name)
        for stage_state in state["stageStates"]:
            for action_state in stage_state["actionStates"]:
                if (stage_state["stageName"], action_state["actionName"]) == (stage, action):
                    assert action_state["latestExecution"]["status"] == "Failed"
                    message: str = action_state["latestExecution"]["errorDetails"]["message"]
                    return message
        raise AssertionError(f"{stage} / {action} is not in the state")

    def ask(self, row: str) -> str:
        endpoint = f"{self.deployed.name}-production"
        runtime = self.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row.encode())
        text: str = answer["Body"].read().decode().strip()
        return text


@pytest.fixture(scope="module")
def iris() -> RehearsalData:
    return RehearsalData.iris()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, iris: RehearsalData) -> Iterator[Site]:
    output = tmp_path_factory.mktemp("synth")
    environment = {**os.environ, "CDKTF_OUTDIR": str(output)}
    subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, check=True)
    approver = Approver()
    with Rehearsal(output / "stacks" / "iris", iris, approver, docker=False) as rehearsal:
        deployed = rehearsal.deploy()
        rehearsal.build_image()
        yield Site(rehearsal, deployed, approver)


@pytest.fixture(scope="module")
def champion(site: Site, iris: RehearsalData) -> Execution:
    """A model in production."""
    outcome = site.run(iris.channels)
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


def test_the_execution_trained_on_exactly_the_uploaded_version(site: Site, champion: Execution) -> None:
    execution = site.client("codepipeline").get_pipeline_execution(
        pipelineName=site.deployed.name, pipelineExecutionId=champion.execution_id
    )["pipelineExecution"]
    revision = next(one for one in execution["artifactRevisions"] if one["name"] == "Dataset")
    versions = site.client("s3").list_object_versions(Bucket=site.deployed.data_bucket, Prefix=site.deployed.prefix)
    assert revision["revisionId"] in {version["VersionId"] for version in versions["Versions"]}
    assert champion.variable("Dataset", "VersionId") == revision["revisionId"]


def test_the_approver_reads_the_evidence(site: Site, champion: Execution) -> None:
    evidence = site.approver.evidence[0]
    assert champion.variable("Register", "ModelPackageArn") in evidence
    assert champion.variable("Gate", "Value") in evidence
    assert "10 of 10 golden records right" in evidence
    assert "@sha256:" in evidence
    assert "#{" not in evidence


def test_training_and_serving_use_the_same_image_by_digest(site: Site, champion: Execution) -> None:
    sagemaker = site.client("sagemaker")
    trained = sagemaker.describe_training_job(TrainingJobName=champion.variable("Train", "JobName"))
    image = trained["AlgorithmSpecification"]["TrainingImage"]
    assert "@sha256:" in image
    for model in sagemaker.list_models()["Models"]:
        served = sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]["Image"]
        assert served == image


def test_the_package_in_production_is_approved(site: Site, champion: Execution) -> None:
    assert site.package(champion)["ModelApprovalStatus"] == "Approved"


def test_production_autoscales(site: Site, champion: Execution) -> None:
    endpoint = f"endpoint/{site.deployed.name}-production/variant/primary"
    scaling = site.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (endpoint, 2, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyType"] == "TargetTrackingScaling"


def test_a_second_release_keeps_what_autoscaling_made_of_the_count(
    site: Site, champion: Execution, iris: RehearsalData
) -> None:
    name = f"{site.deployed.name}-production"
    sagemaker = site.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "primary", "DesiredInstanceCount": 4}]
    )
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    outcome = site.run({**iris.channels, "train": iris.channels["train"] + b"setosa,5.0,3.4,1.5,0.2\n"})
    assert outcome.status == "Succeeded", outcome.reason
    after = sagemaker.describe_endpoint(EndpointName=name)
    assert after["EndpointConfigName"] != before
    assert after["ProductionVariants"][0]["DesiredInstanceCount"] == 4
    assert float(outcome.variable("Gate", "ProductionValue")) > 0.8


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ({"train": b""}, "empty"),
        ({"train": b"\x89PNG\r\n\x1a\n\x00\x00"}, "train.csv"),
        ({"train": b"setosa,1,2\nvirginica,1\n"}, "line 2"),
        ({"train": b"setosa,1,2\nsetosa,3,4\n"}, "class"),
    ],
    ids=["empty", "not CSV", "ragged", "one class"],
)
def test_bad_data_fails_before_any_training_cost(site: Site, channels: dict[str, bytes], reason: str) -> None:
    jobs = len(site.client("sagemaker").list_training_jobs()["TrainingJobSummaries"])
    outcome = site.run(channels)
    assert outcome.status == "Failed"
    assert outcome.reason.startswith("Prepare / CheckDataset: ")
    message = site.failed_action("Prepare", "CheckDataset")
    assert reason in message
    assert "train.csv" in message
    assert len(site.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]) == jobs


def test_a_rejection_stops_the_pipeline_and_is_on_record(site: Site, champion: Execution, iris: RehearsalData) -> None:
    name = f"{site.deployed.name}-production"
    sagemaker = site.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    outcome = site.run(iris.channels, approve=False)
    assert outcome.status == "Failed"
    assert outcome.reason.startswith("Approve / Approve: ")
    assert "rejected in a rehearsal" in outcome.reason
    for _ in range(100):
        if site.package(outcome)["ModelApprovalStatus"] == "Rejected":
            break
        time.sleep(0.1)
    assert site.package(outcome)["ModelApprovalStatus"] == "Rejected"
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == before


def test_a_failed_smoke_test_never_asks_for_approval(site: Site, iris: RehearsalData) -> None:
    asked = len(site.approver.evidence)
    wrong = b"virginica,5.1,3.5,1.4,0.2\nvirginica,4.9,3.0,1.4,0.2\nsetosa,6.3,3.3,6.0,2.5\n"
    outcome = site.run(iris.channels, golden=wrong)
    assert outcome.status == "Failed"
    message = site.failed_action("DeployDev", "SmokeTest")
    assert "0 of 3" in message
    assert len(site.approver.evidence) == asked


def test_a_model_worse_than_the_threshold_is_refused_and_rejected(site: Site, iris: RehearsalData) -> None:
    names = [b"setosa", b"virginica", b"versicolor"]
    lines = iris.channels["validation"].splitlines()
    wrong = b"".join(names[index % 3] + b"," + line.split(b",", 1)[1] + b"\n" for index, line in enumerate(lines))
    outcome = site.run({"train": iris.channels["train"], "validation": wrong})
    assert outcome.status == "Failed"
    assert "validation:accuracy" in site.failed_action("Evaluate", "Gate")
    assert site.package(outcome)["ModelApprovalStatus"] == "Rejected"


def test_two_uploads_train_twice_in_order(site: Site, iris: RehearsalData) -> None:
    site.approver.answer = False
    follower = site.follower()
    known = follower.executions.ids()
    versions = [site.upload(iris.channels), site.upload(iris.channels)]
    first = follower.follow(follower.wait_for_start(known, 20))
    second = follower.follow(follower.wait_for_start({*known, first.execution_id}, 20))
    assert [outcome.variable("Dataset", "VersionId") for outcome in (first, second)] == versions


def push(site: Site, path: str, content: bytes) -> Execution:
    """Commit a file to the repository, and follow the build that it starts."""
    assert site.deployed.image_pipeline is not None
    codecommit, name = site.client("codecommit"), site.deployed.name
    follower = site.follower(site.deployed.image_pipeline)
    known = follower.executions.ids()
    parent = codecommit.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"]
    codecommit.put_file(
        repositoryName=name, branchName="main", filePath=path, fileContent=content, parentCommitId=parent
    )
    return follower.follow(follower.wait_for_start(known, 20))


def test_an_algorithm_that_fails_says_why_and_the_last_good_one_comes_back(site: Site, iris: RehearsalData) -> None:
    path = "algorithm.py"
    good = (ROOT / "container" / path).read_bytes()
    assert push(site, path, b'raise RuntimeError("no forest today")\n').status == "Succeeded"
    outcome = site.run(iris.channels)
    assert outcome.status == "Failed"
    assert "no forest today" in site.failed_action("Train", "Train")
    assert push(site, path, good + b"\n").status == "Succeeded"
    assert site.run(iris.channels, approve=False).reason.startswith("Approve / Approve")


def test_a_build_without_a_dockerfile_keeps_the_last_good_image(site: Site) -> None:
    parameter = f"/{site.deployed.name}/image"
    before = site.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    codecommit, name = site.client("codecommit"), site.deployed.name
    follower = site.follower(site.deployed.image_pipeline)
    known = follower.executions.ids()
    parent = codecommit.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"]
    gone = codecommit.create_commit(
        repositoryName=name, branchName="main", parentCommitId=parent, deleteFiles=[{"filePath": "Dockerfile"}]
    )
    outcome = follower.follow(follower.wait_for_start(known, 20))
    assert outcome.status == "Failed"
    assert "Dockerfile" in outcome.reason
    assert site.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"] == before
    dockerfile = {"filePath": "Dockerfile", "fileContent": (ROOT / "container" / "Dockerfile").read_bytes()}
    codecommit.create_commit(
        repositoryName=name, branchName="main", parentCommitId=gone["commitId"], putFiles=[dockerfile]
    )


def test_production_answers_any_boto3_client(site: Site, champion: Execution) -> None:
    assert site.ask("6.3,3.3,6.0,2.5") == "virginica"


def test_the_state_is_what_the_aws_cli_shows(site: Site, champion: Execution) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("aws"), "codepipeline", "get-pipeline-state", "--name", site.deployed.name],
        env={
            "PATH": str(Path(sys.executable).parent),
            "AWS_ENDPOINT_URL": site.rehearsal.aws.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["stageStates"]) == 7
