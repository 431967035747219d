"""An evaluation program, two releases and the way back, on the deployed pipeline. One deployment serves all tests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_container import wait_until
from patience import PATIENCE_SECONDS
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.deployed import Execution

GOLDEN = b"small,1\nlarge,19\n"
TEST = b"".join(b"%s,%d\n" % (b"small" if value < 10 else b"large", value) for value in range(20))
# The border between the two lies at 11.5: two of twenty test records are on the wrong side.
WORSE = b"small,1\nsmall,3\nlarge,20\nlarge,22\n"
BETTER = b"small,1\nsmall,8\nlarge,11\nlarge,18\n"
pytestmark = pytest.mark.terraform


class Releases(Site):
    """The deployed example, and what people do to its releases."""

    def train(
        self, train: bytes, *, test: bytes | None = TEST, golden: bytes = GOLDEN, approve: bool = True
    ) -> Execution:
        """Upload a data set, and follow the execution that it starts to its end."""
        channels = {"train": train} if test is None else {"train": train, "test": test}
        return self.run(channels, golden=golden, approve=approve)

    def rollback(self, number: int, *, approve: bool = True) -> Execution:
        self.approver.answer = approve
        done = self.mlops("rollback", self.pipeline, str(number), "--json")
        assert done.returncode == 0, done.stderr
        return self.follower().follow(json.loads(done.stdout)["execution_id"])

    def record(self, number: int) -> dict[str, Any]:
        key = f"releases/{self.pipeline}/{number}.json"
        body = self.client("s3").get_object(Bucket=self.artifacts, Key=key)["Body"].read()
        read: dict[str, Any] = json.loads(body)
        return read

    def served_model(self) -> str:
        sagemaker, name = self.client("sagemaker"), f"{self.pipeline}-production"
        config = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        model = sagemaker.describe_model(ModelName=variants[0]["ModelName"])
        return str(model["PrimaryContainer"]["ModelDataUrl"])

    def evaluations(self, execution: str = "") -> list[str]:
        """Give the statuses of the evaluation jobs of an execution, or of all."""
        found = self.client("sagemaker").list_processing_jobs(NameContains=execution.replace("-", "")[:12])
        return [one["ProcessingJobStatus"] for one in found["ProcessingJobSummaries"]]

    def jobs(self) -> tuple[int, int]:
        return self.trainings(), len(self.evaluations())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    stack = synthesized(ROOT / "examples" / "evaluated" / "main.py", tmp_path_factory.mktemp("synth"))
    with deployed_site(stack, RehearsalData("sizes", {"train": BETTER}, [])) as site:
        site.rehearsal.build_image()
        yield Releases(site.rehearsal, site.deployed, site.approver)


@pytest.fixture(scope="module")
def first(site: Releases) -> Execution:
    """A first release, of a model with two wrong answers."""
    outcome = site.train(WORSE)
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


@pytest.fixture(scope="module")
def second(site: Releases, first: Execution) -> Execution:
    """A second release, of a better model."""
    outcome = site.train(BETTER)
    assert outcome.status == "Succeeded", outcome.reason
    return outcome


def test_nothing_is_released_at_first(site: Releases) -> None:
    done = site.mlops("releases", site.pipeline)
    assert (done.returncode, done.stdout) == (0, f"{site.pipeline} has released nothing yet.\n")


def test_the_program_judged_on_records_that_training_did_not_get(site: Releases, first: Execution) -> None:
    job = site.client("sagemaker").describe_training_job(TrainingJobName=first.variable("Train", "JobName"))
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == ["train"]
    assert first.variable("Gate", "Value") == "0.9"
    assert "worst_class_recall is 0.8" in first.variable("Gate", "Verdict")


def test_the_report_is_the_packages_model_quality(site: Releases, first: Execution) -> None:
    package = site.package(first)
    assert package["CustomerMetadataProperties"]["metric.accuracy"] == "0.9"
    uri = first.variable("RunEvaluation", "EvaluationUri")
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] == uri


def test_the_package_knows_the_commit_of_its_image(site: Releases, first: Execution) -> None:
    branch = site.client("codecommit").get_branch(repositoryName=site.pipeline, branchName="main")["branch"]
    assert site.package(first)["CustomerMetadataProperties"]["commit"] == branch["commitId"]


def test_the_approver_reads_the_candidate_beside_production(site: Releases, second: Execution) -> None:
    evidence = site.approver.evidence[1]
    assert "accuracy 1 (0.9); worst_class_recall 1 (0.8)" in evidence
    assert re.search(r"DEV smoke test: 2 of 2 golden records right, p95 \d+ ms, production 2 right\n", evidence)
    assert "ms, no production endpoint\n" in site.approver.evidence[0]
    assert "Production: 2 x ml.m5.large, hourly cost 0.24 USD\n" in evidence
    assert f"s3://{site.artifacts}/evidence/{site.pipeline}/{second.execution_id}.txt" in evidence
    assert len(evidence) <= 960


def test_the_costs_are_read_from_what_is_deployed(site: Releases, second: Execution) -> None:
    done = site.mlops("cost", site.pipeline, "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["part"]: row for row in json.loads(done.stdout)["rows"]}
    assert {"training", "evaluation", "DEV endpoint", "production endpoint"} <= rows.keys()
    assert rows["production endpoint"]["hourly"] == {"least": 0.24, "most": 0.24}
    assert rows["production endpoint"]["source"] == "the pipeline's configuration"


def test_the_full_evidence_is_kept(site: Releases, second: Execution) -> None:
    key = f"evidence/{site.pipeline}/{second.execution_id}"
    s3 = site.client("s3")
    text = s3.get_object(Bucket=site.artifacts, Key=f"{key}.txt")["Body"].read().decode()
    document = json.loads(s3.get_object(Bucket=site.artifacts, Key=f"{key}.json")["Body"].read())
    assert document["dataset_sha256"] in text
    assert document["production"] == site.record(1)["model_package_arn"]


def test_each_release_is_on_record_with_all_that_it_is_made_of(site: Releases, second: Execution) -> None:
    record = site.record(2)
    endpoint = site.client("sagemaker").describe_endpoint(EndpointName=record["endpoint"])
    assert record["release"] == 2
    assert record["execution_id"] == second.execution_id
    assert record["dataset"]["version_id"] == second.variable("Dataset", "VersionId")
    assert record["training_job_arn"] == second.variable("Train", "JobArn")
    assert record["endpoint_config"] == endpoint["EndpointConfigName"]
    assert record["approved_by"].startswith("arn:aws:")
    assert record["approval_summary"] == "approved in a rehearsal"
    assert record["metrics"] == {"accuracy": "1.0", "worst_class_recall": "1.0"}
    assert None not in record.values() or record["rollback_to"] is None


def test_the_package_is_approved_with_who_said_so(site: Releases, second: Execution) -> None:
    package = site.package(second)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"]["approved_by"].startswith("arn:aws:")
    assert package["CustomerMetadataProperties"]["release"] == "2"


def test_a_data_set_without_held_out_records_stops_before_registration(site: Releases, second: Execution) -> None:
    outcome = site.train(BETTER, test=None)
    assert outcome.status == "Failed"
    assert "The data set has no channel 'test'" in outcome.reason


def test_a_program_that_cannot_judge_says_why(site: Releases, second: Execution) -> None:
    outcome = site.train(BETTER, test=b"small,1\nsmall,2\n")
    assert outcome.reason.startswith("Evaluate / RunEvaluation: ")
    assert "the test records must contain every label of ['large', 'small']" in outcome.reason


def test_stopping_an_execution_stops_its_evaluation_and_no_other(site: Releases, second: Execution) -> None:
    function = f"{site.pipeline}-run-evaluation"
    slow = {"ContainerEntrypoint": ["sleep"], "ContainerArguments": ["3600"]}
    site.change_document(function, lambda document: document["processing_job"]["AppSpecification"].update(slow))
    follower, known, before = site.follower(), site.known(), site.evaluations()
    site.upload({"train": BETTER, "test": TEST}, GOLDEN)
    execution = follower.wait_for_start(known, PATIENCE_SECONDS)
    # Its first call is over: RunEvaluation itself stops a job that it has just started for a stopped execution.
    wait_until(lambda: "Processing job" in follower.executions.execution(execution).actions[-1].summary)

    site.stop(execution)

    assert follower.follow(execution).status == "Stopped"
    wait_until(lambda: site.evaluations(execution) == ["Stopped"])
    assert sorted(site.evaluations()) == sorted([*before, "Stopped"])
    site.change_document(function, lambda document: None)


def test_23_a_model_worse_than_production_is_rejected(site: Releases, second: Execution) -> None:
    outcome = site.train(WORSE)
    assert "accuracy is 0.9, must be at least 1 (production has 1" in outcome.reason
    assert site.wait_for_rejection(outcome).startswith("accuracy is 0.9")


def test_a_failed_smoke_test_rejects_the_package(site: Releases, second: Execution) -> None:
    outcome = site.train(BETTER, golden=b"large,1\nsmall,19\n")
    assert outcome.reason.startswith("DeployDev / SmokeTest")
    assert "DeployDev/SmokeTest failed: " in site.wait_for_rejection(outcome)


def test_a_rejection_reaches_the_record(site: Releases, second: Execution) -> None:
    outcome = site.train(BETTER, approve=False)
    assert "not approved by arn:aws:" in site.wait_for_rejection(outcome)


def test_a_rollback_needs_no_training_and_serves_the_old_model(site: Releases, second: Execution) -> None:
    before = site.jobs()
    outcome = site.rollback(1)
    assert outcome.status == "Succeeded", outcome.reason
    assert site.jobs() == before
    assert site.served_model() == site.record(1)["model_data_url"]
    assert site.approver.evidence[-1].startswith("Rollback to release 1. Candidate: ")
    record = site.record(3)
    assert record["rollback_to"] == 1
    assert record["model_package_arn"] == site.record(1)["model_package_arn"]
    assert record["execution_id"] == outcome.execution_id


def test_a_rollback_can_be_rolled_back(site: Releases, second: Execution) -> None:
    outcome = site.rollback(2)
    assert outcome.status == "Succeeded", outcome.reason
    assert site.served_model() == site.record(2)["model_data_url"]


def test_a_rejected_rollback_changes_nothing(site: Releases, second: Execution) -> None:
    before, releases = site.served_model(), site.mlops("releases", site.pipeline).stdout
    outcome = site.rollback(1, approve=False)
    assert outcome.status == "Failed"
    assert site.served_model() == before
    assert site.mlops("releases", site.pipeline).stdout == releases
    assert site.package(outcome)["ModelApprovalStatus"] == "Approved"


def test_the_releases_are_listed_the_newest_first(site: Releases, second: Execution) -> None:
    done = site.mlops("releases", site.pipeline)
    assert done.returncode == 0
    heading, *rows = done.stdout.splitlines()
    assert heading.split()[:2] == ["release", "released"]
    numbers = [int(row.split()[0]) for row in rows]
    assert numbers == sorted(numbers, reverse=True)
    assert rows[-1].startswith("1 ")
    listed = json.loads(site.mlops("releases", site.pipeline, "--json").stdout)
    assert [record["release"] for record in listed] == numbers


def test_a_release_whose_model_is_gone_is_refused_with_all_reasons(site: Releases, second: Execution) -> None:
    record = {**site.record(1), "release": 900, "model_data_url": f"s3://{site.artifacts}/models/gone/model.tar.gz"}
    record["dataset"] = {**record["dataset"], "key": "gone.json"}
    s3, key = site.client("s3"), f"releases/{site.pipeline}/900.json"
    s3.put_object(Bucket=site.artifacts, Key=key, Body=json.dumps(record).encode())
    try:
        done = site.mlops("rollback", site.pipeline, "900")
    finally:
        s3.delete_object(Bucket=site.artifacts, Key=key)
    assert done.returncode == 1
    assert "its model s3://" in done.stderr
    assert "its data set s3://" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("rollback", "{pipeline}", "99"), 1, "has no release 99; there are "),
        (("rollback", "{pipeline}", "zero"), 2, "must be the number of a release, got 'zero'"),
        (("rollback", "{pipeline}-image", "1"), 1, "-image takes no data sets"),
        (
            ("rollback", "nothing", "1"),
            1,
            "the pipeline 'nothing' does not exist in this account and region; existing: ",
        ),
        (("releases", "nothing"), 1, "the pipeline 'nothing' does not exist"),
    ],
)
def test_wrong_input_is_named(
    site: Releases, second: Execution, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    done = site.mlops(*(word.format(pipeline=site.pipeline) for word in arguments))
    assert done.returncode == code
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
