"""Processing jobs of the local AWS: a program on S3 data in /opt/ml/processing, and what it leaves."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import (
    forbidden,
    local_aws,
    make_role,
    push_container,
    wait_until,
    write_container,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "processing-data"
EVALUATE = """#!/usr/bin/env python3
import json, os, sys, time
from pathlib import Path

base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
rows = (base / "processing/test/rows.csv").read_text().split()
mode = os.environ.get("MODE", "")
print("evaluating", len(rows), "rows, arguments", sys.argv[1:])
if mode == "slow":
    time.sleep(60)
if mode == "fail":
    (base / "output/message").write_text("no such label")
    sys.exit(3)
if mode == "crash":
    sys.exit("Traceback: it broke")
report = {"metrics": {"rows": len(rows)}, "arguments": sys.argv[1:], "name": os.environ["PROCESSING_JOB_NAME"]}
report["config"] = json.loads((base / "config/processingjobconfig.json").read_text())["ProcessingJobName"]
out = base / "processing/evaluation"
(out / "evaluation.json").write_text(json.dumps(report))
(out / "plots").mkdir()
(out / "plots/roc.txt").write_text("1")
(base / "output/message").write_text("all well")
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as local:
        s3 = local.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="set/test/rows.csv", Body=b"a,1\nb,2\n")
        s3.put_object(Bucket=BUCKET, Key="set/test2/other.csv", Body=b"c,3\n")
        yield local


@pytest.fixture(scope="module")
def image(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write_container(tmp_path_factory.mktemp("container"))
    (folder / "evaluate").write_text(EVALUATE)
    (folder / "evaluate").chmod(0o755)
    return push_container(aws, folder)


@pytest.fixture(scope="module")
def role(aws: LocalAws) -> str:
    return make_role(aws, "evaluation", "sagemaker.amazonaws.com")


@pytest.fixture
def run(aws: LocalAws, image: str, role: str) -> Any:
    """Run a job to its end; give its description."""

    def run(name: str, *, wait: bool = True, application: dict[str, Any] | None = None, **changes: Any) -> Any:
        program = {"ContainerArguments": ["evaluate"]} if application is None else application
        source = {"S3Uri": f"s3://{BUCKET}/set/test/", "LocalPath": "/opt/ml/processing/test", "S3DataType": "S3Prefix"}
        target = {
            "S3Uri": f"s3://{BUCKET}/evaluations/{name}",
            "LocalPath": "/opt/ml/processing/evaluation",
            "S3UploadMode": "EndOfJob",
        }
        request = {
            "ProcessingJobName": name,
            "RoleArn": role,
            "AppSpecification": {"ImageUri": image, **program},
            "ProcessingInputs": [{"InputName": "test", "S3Input": {**source, "S3InputMode": "File"}}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": target}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
            },
            **changes,
        }
        sagemaker = aws.client("sagemaker")
        arn = sagemaker.create_processing_job(**request)["ProcessingJobArn"]
        assert arn.endswith(f":processing-job/{name}")
        if wait:
            wait_until(lambda: described(aws, name)["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"))
        return described(aws, name)

    return run


def described(aws: LocalAws, name: str) -> Any:
    return aws.client("sagemaker").describe_processing_job(ProcessingJobName=name)


def report(aws: LocalAws, name: str) -> Any:
    body = aws.client("s3").get_object(Bucket=BUCKET, Key=f"evaluations/{name}/evaluation.json")["Body"].read()
    return json.loads(body)


def test_a_program_reads_its_channel_and_its_report_lands_in_s3(aws: LocalAws, run: Any) -> None:
    job = run("good")
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == "all well"
    assert report(aws, "good") == {"metrics": {"rows": 2}, "arguments": [], "name": "good", "config": "good"}


def test_files_in_folders_are_uploaded_too(aws: LocalAws, run: Any) -> None:
    run("folders")
    listed = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="evaluations/folders/")["Contents"]
    assert [item["Key"].removeprefix("evaluations/folders/") for item in listed] == ["evaluation.json", "plots/roc.txt"]


@pytest.mark.parametrize("python", ["python", "/usr/local/bin/python3", "/usr/bin/python3"])
def test_an_entry_point_names_a_path_in_the_container(aws: LocalAws, run: Any, python: str) -> None:
    name = f"entry{python.replace('/', '-')}"
    entry = [python, "/opt/program/evaluate"]
    run(name, application={"ContainerEntrypoint": entry, "ContainerArguments": ["--strict"]})
    assert report(aws, name)["arguments"] == ["--strict"]


def test_a_program_that_fails_leaves_its_message(run: Any) -> None:
    job = run("failed", Environment={"MODE": "fail"})
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Failed", "no such label")
    assert job["FailureReason"].endswith("exit code: 3")


def test_a_program_that_crashes_leaves_the_end_of_its_log(run: Any) -> None:
    assert "Traceback: it broke" in run("crashed", Environment={"MODE": "crash"})["FailureReason"]


def test_a_program_that_is_not_there_is_named(run: Any) -> None:
    job = run("absent", application={"ContainerEntrypoint": ["judge-of-all"]})
    assert job["ProcessingJobStatus"] == "Failed"
    assert "judge-of-all" in job["FailureReason"]


def test_an_input_without_objects_fails_the_job(run: Any) -> None:
    source = {"S3Uri": f"s3://{BUCKET}/none/", "LocalPath": "/opt/ml/processing/test", "S3DataType": "S3Prefix"}
    job = run("empty", ProcessingInputs=[{"InputName": "test", "S3Input": {**source, "S3InputMode": "File"}}])
    assert "No S3 objects found" in job["FailureReason"]


def test_a_job_can_be_stopped(aws: LocalAws, run: Any) -> None:
    run("stopped", wait=False, Environment={"MODE": "slow"})
    wait_until(lambda: "evaluating" in log(aws, "stopped"))
    aws.client("sagemaker").stop_processing_job(ProcessingJobName="stopped")
    wait_until(lambda: described(aws, "stopped")["ProcessingJobStatus"] == "Stopped")


def test_a_job_that_runs_too_long_is_stopped(run: Any) -> None:
    job = run("long", Environment={"MODE": "slow"}, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["ProcessingJobStatus"] == "Stopped"


def test_a_name_is_used_once_forever(run: Any) -> None:
    run("once")
    with pytest.raises(ClientError, match="ResourceInUse"):
        run("once")


def test_a_role_that_sagemaker_may_not_assume_is_refused(aws: LocalAws, run: Any) -> None:
    with pytest.raises(ClientError, match="Could not assume role"):
        run("roleless", RoleArn=make_role(aws, "other", "lambda.amazonaws.com"))


def test_a_job_that_does_not_exist_is_not_found(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="Could not find"):
        described(aws, "nothing")


def test_jobs_are_listed_by_status(aws: LocalAws, run: Any) -> None:
    run("listed")
    found = aws.client("sagemaker").list_processing_jobs(NameContains="listed", StatusEquals="Completed")
    assert [one["ProcessingJobName"] for one in found["ProcessingJobSummaries"]] == ["listed"]


def test_job_in_a_vpc_needs_a_role_that_may_make_network_interfaces(aws: LocalAws, run: Any) -> None:
    network = {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
    with forbidden(aws, "evaluation", "ec2:DescribeSubnets"):
        job = run("no-interfaces", NetworkConfig=network)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "is not authorized to perform: ec2:DescribeSubnets" in job["FailureReason"]
    assert run("interfaces", NetworkConfig=network)["ProcessingJobStatus"] == "Completed"


def test_closing_ends_a_processing_program_at_once(image: str, aws: LocalAws, run: Any) -> None:
    """Last in this file: it closes the local AWS."""
    run("closing", wait=False, Environment={"MODE": "slow"})
    job = aws.sagemaker.processing_jobs.find("closing")
    container = wait_until(lambda: job.container)

    started = time.monotonic()
    aws.close()

    assert time.monotonic() - started < 30
    assert container.exit_code() is not None


def log(aws: LocalAws, name: str) -> str:
    logs, group = aws.client("logs"), "/aws/sagemaker/ProcessingJobs"
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    except ClientError:
        return ""
    events = [logs.get_log_events(logGroupName=group, logStreamName=one["logStreamName"])["events"] for one in streams]
    return "\n".join(event["message"] for some in events for event in some)
