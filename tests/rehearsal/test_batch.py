"""Files are scored with the model in production, also after a release and after a rollback. One deployment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_container import wait_until
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.deployed.batch import OPEN, Batches
from mlops_constructs.local_aws.roles import role_credentials
from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.deployed import Execution

GOLDEN = b"small,1\nlarge,19\n"
# The border between the two lies at 11.5, and at 9.5: they differ about 11.
FIRST = b"small,1\nsmall,3\nlarge,20\nlarge,22\n"
SECOND = b"small,1\nsmall,8\nlarge,11\nlarge,18\n"
CUSTOMERS = "c7,11\nc8,20\n"
pytestmark = pytest.mark.terraform


class BatchSite(Site):
    """The deployed pipeline, and those who score files with it."""

    @property
    def batches(self) -> Batches:
        return Batches(self.deployed)

    def score(self, name: str, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run ``mlops batch`` with the role that may score files, and nothing else."""
        file = folder / name
        file.write_text(text)
        arn = self.client("iam").get_role(RoleName="crm-export")["Role"]["Arn"]
        found = role_credentials(self.aws.account, arn, "an-export")
        credentials = {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }
        command = [sys.executable, "-m", "mlops_constructs", "batch", self.pipeline, str(file), "--json"]
        environment = {**os.environ, **self.environment, **credentials}
        command += ["--output", str(folder), "--wait", "120"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def scored(self, name: str, folder: Path) -> tuple[int, str]:
        """Score the customers; give the release and the predictions."""
        done = self.score(name, CUSTOMERS, folder)
        assert done.returncode == 0, done.stderr
        (result,) = json.loads(done.stdout)
        assert result["files"] == [str(folder / f"{name}.out")]
        assert result["output"]["records"] == 2
        return result["release"], (folder / f"{name}.out").read_text()

    def start(self, event: dict[str, Any]) -> dict[str, Any]:
        answer = self.client("lambda").invoke(
            FunctionName=f"{self.pipeline}-start-batch", Payload=json.dumps(event).encode()
        )
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return found

    def jobs(self, kind: str) -> list[str]:
        found = self.client("sagemaker").list_transform_jobs(NameContains=f"{self.pipeline}-{kind}-")
        return [one["TransformJobName"] for one in found["TransformJobSummaries"]]

    def rollback(self, number: int) -> Execution:
        done = self.mlops("rollback", self.pipeline, str(number), "--json")
        assert done.returncode == 0, done.stderr
        return self.follower().follow(json.loads(done.stdout)["execution_id"])

    def notices(self) -> list[str]:
        """Give what people were told since the last call."""
        sqs = self.client("sqs")
        found = sqs.receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10).get("Messages", [])
        # Not PurgeQueue: SQS allows it once a minute, and it takes what nobody has read.
        for one in found:
            sqs.delete_message(QueueUrl=self.mailbox, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"])["Message"] for one in found]

    mailbox: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BatchSite]:
    container = ROOT / "examples" / "evaluated" / "container"
    program = ROOT / "tests" / "rehearsal" / "batch_app.py"
    stack = synthesized(program, tmp_path_factory.mktemp("synth"), str(container))
    with deployed_site(stack, RehearsalData("batch", {"train": FIRST}, [])) as site:
        site.rehearsal.build_image()
        site = BatchSite(site.rehearsal, site.deployed, site.approver)
        site.mailbox = site.client("sqs").create_queue(QueueName="people")["QueueUrl"]
        (topic,) = [one["TopicArn"] for one in site.client("sns").list_topics()["Topics"]]
        arn = f"arn:aws:sqs:us-east-1:{site.aws.account_id}:people"
        site.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        yield site


@pytest.fixture(scope="module")
def early(site: BatchSite) -> dict[str, Any]:
    """The record of a file that came before the first release."""
    version = site.put("scoring/early.csv", CUSTOMERS.encode())
    job = site.batches.job_of("scoring/early.csv", version)
    return dict(wait_until(lambda: (record := site.batches.record(job)) and record["status"] not in OPEN and record))


@pytest.fixture(scope="module")
def first(site: BatchSite, early: dict[str, Any]) -> Execution:
    outcome = site.run({"train": FIRST}, golden=GOLDEN)
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


@pytest.fixture(scope="module")
def by_first(site: BatchSite, first: Execution, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    return site.scored("monday.csv", tmp_path_factory.mktemp("monday"))


@pytest.fixture(scope="module")
def by_second(site: BatchSite, by_first: tuple[int, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    outcome = site.run({"train": SECOND}, golden=GOLDEN)
    assert outcome.status == "Succeeded", outcome.reason
    return site.scored("tuesday.csv", tmp_path_factory.mktemp("tuesday"))


@pytest.fixture(scope="module")
def rolled_back(
    site: BatchSite, by_second: tuple[int, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, str]:
    outcome = site.rollback(1)
    assert outcome.status == "Succeeded", outcome.reason
    return site.scored("wednesday.csv", tmp_path_factory.mktemp("wednesday"))


def test_a_file_before_the_first_release_is_refused_and_people_are_told(site: BatchSite, early: dict[str, Any]) -> None:
    assert (early["status"], early["release"]) == ("Refused", None)
    assert "has released no model yet" in early["reason"]
    assert any("scoring/early.csv" in one and "has released no model yet" in one for one in site.notices())


def test_a_candidate_scores_the_golden_records_before_the_approval(site: BatchSite, first: Execution) -> None:
    assert first.variable("BatchSmokeTest", "Summary") == "2 of 2 golden records right"


def test_a_file_is_scored_with_the_release(by_first: tuple[int, str]) -> None:
    assert by_first == (1, "c7,small\nc8,large\n")


def test_the_next_file_is_scored_with_the_next_release(by_second: tuple[int, str]) -> None:
    assert by_second == (2, "c7,large\nc8,large\n")


def test_after_a_rollback_files_are_scored_with_the_former_model(rolled_back: tuple[int, str]) -> None:
    assert rolled_back == (3, "c7,small\nc8,large\n")


def test_the_record_names_model_and_input(site: BatchSite, by_first: tuple[int, str]) -> None:
    (record,) = [one for one in site.batches.newest(9) if one["input"]["key"] == "scoring/monday.csv"]
    package = site.client("sagemaker").describe_model_package(ModelPackageName=record["model_package_arn"])
    (container,) = package["InferenceSpecification"]["Containers"]
    assert record["image"] == container["Image"]
    assert "@sha256:" in record["image"]
    head = site.client("s3").head_object(Bucket=site.deployed.data_bucket, Key="scoring/monday.csv")
    assert record["input"]["version_id"] == head["VersionId"]
    assert record["input_changed"] == []


def test_an_event_that_comes_again_scores_nothing_again(site: BatchSite, by_first: tuple[int, str]) -> None:
    (record,) = [one for one in site.batches.newest(9) if one["input"]["key"] == "scoring/monday.csv"]
    one = {"key": "scoring/monday.csv", "version-id": record["input"]["version_id"]}
    jobs = site.jobs("batch")

    answer = site.start({"detail-type": "Object Created", "detail": {"object": one}})

    assert answer["started"] is None
    assert "started for this input already" in answer["reason"]
    assert site.jobs("batch") == jobs


def test_a_broken_file_ends_with_the_reason_in_its_record_and_with_people(
    site: BatchSite, rolled_back: tuple[int, str], tmp_path: Path
) -> None:
    done = site.score("broken.csv", "c7,eleven\n", tmp_path)

    assert done.returncode == 1
    assert "broken.csv was not scored" in done.stderr
    assert "could not convert string to float: 'eleven'" in done.stderr
    (record,) = [one for one in site.batches.newest(9) if one["input"]["key"] == "scoring/broken.csv"]
    assert record["status"] == "Failed"
    assert "scoring/broken.csv: ClientError: 400 could not convert" in record["reason"]
    wait_until(lambda: any("scoring/broken.csv" in one for one in site.notices()))


def test_all_files_are_scored_by_one_job_on_a_schedule(site: BatchSite, rolled_back: tuple[int, str]) -> None:
    site.client("s3").delete_object(Bucket=site.deployed.data_bucket, Key="scoring/broken.csv")

    answer = site.start({"detail-type": "Scheduled Event", "id": "one-night", "detail": {}})

    record = site.batches.follow(answer["started"], 120)
    assert record is not None
    assert record["status"] == "Completed", record
    # early, monday, tuesday and wednesday
    assert record["input"]["number_of_objects"] == record["output"]["number_of_objects"] == 4
    assert record["output"]["records"] == 8


def test_no_model_is_left_behind(site: BatchSite, rolled_back: tuple[int, str]) -> None:
    def left() -> list[str]:
        names = [one["ModelName"] for one in site.client("sagemaker").list_models()["Models"]]
        return [name for name in names if "-batch-" in name or "-golden-" in name]

    wait_until(lambda: not left())


def test_the_batches_are_listed(site: BatchSite, rolled_back: tuple[int, str]) -> None:
    done = site.mlops("batch", site.pipeline)

    assert done.returncode == 0, done.stderr
    assert "scoring/tuesday.csv" in done.stdout
    assert "Completed" in done.stdout


def test_the_cost_of_an_hour_of_the_jobs_is_shown(site: BatchSite) -> None:
    done = site.mlops("cost", site.pipeline, "--price", "ml.m5.large=0.2", "--json")

    assert done.returncode == 0, done.stderr
    assert "batch transform" in done.stdout
