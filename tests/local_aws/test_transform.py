"""Transform jobs of the local AWS: a real server, records in mini-batches, filters, and reasons for failures."""

from __future__ import annotations

import gzip
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import (
    forbidden,
    local_aws,
    make_role,
    push_container,
    upload_model,
    wait_until,
    write_container,
)

from mlops_constructs.local_aws.faults.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

    Run = Callable[..., dict[str, Any]]

BUCKET = "transform-data"
SERVE = """#!/usr/bin/env python3
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

mode = os.environ.get("MODE", "")
calls = []
if mode == "exit":
    sys.exit("the model cannot be loaded")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/execution-parameters":
            if mode != "asks":
                return self.reply(404, b"")
            wishes = {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 3}
            return self.reply(200, json.dumps(wishes).encode())
        self.reply(503 if mode == "sick" else 200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        calls.append(body)
        if mode == "slow":
            time.sleep(30)
        if mode == "flaky" and len(calls) == 1 or mode == "broken":
            return self.reply(500, b"out of order")
        if b"bad" in body:
            return self.reply(400, b"no such row")
        if mode == "environment":
            names = [name for name in os.environ if name.startswith("SAGEMAKER_")]
            return self.reply(200, json.dumps({name: os.environ[name] for name in names}).encode())
        if mode == "short":
            return self.reply(200, b"one line only")
        if mode == "size":
            return self.reply(200, str(len(body)).encode())
        if mode == "json":
            return self.reply(200, b"\\n".join(b'{"class": %d}' % len(row) for row in body.split(b"\\n")))
        lines = [b"%s of %d" % (row, len(body.split(b"\\n"))) for row in body.split(b"\\n")]
        self.reply(200, b"\\n".join(lines))

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
ThreadingHTTPServer((os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"), port), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as local:
        local.client("s3").create_bucket(Bucket=BUCKET)
        yield local


@pytest.fixture(scope="module")
def image(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write_container(tmp_path_factory.mktemp("container"))
    (folder / "serve").write_text(SERVE)
    return push_container(aws, folder)


@pytest.fixture(scope="module")
def role(aws: LocalAws) -> str:
    return make_role(aws, "batch", "sagemaker.amazonaws.com")


@pytest.fixture
def run(aws: LocalAws, image: str, role: str) -> Run:
    """Run a job to its end; return its description."""
    sagemaker = aws.client("sagemaker")

    def run(name: str, body: bytes = b"a\nb\nc\n", *, mode: str = "", wait: bool = True, **changes: Any) -> Any:
        s3 = aws.client("s3")
        if body:
            s3.put_object(Bucket=BUCKET, Key=f"{name}/in/rows.csv", Body=body)
        data = upload_model(aws, BUCKET, f"{name}/model.tar.gz", "one")
        container = {"Image": image, "ModelDataUrl": data, "Environment": {"MODE": mode}}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        sagemaker.create_transform_job(**request(name, **changes))
        if wait:
            wait_until(lambda: described(aws, name)["TransformJobStatus"] in ("Completed", "Failed", "Stopped"))
        return described(aws, name)

    return run


def request(name: str, source: Any = None, output: Any = None, resources: Any = None, **changes: Any) -> dict[str, Any]:
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}
    given = {"DataSource": {"S3DataSource": place}, "ContentType": "text/csv", "SplitType": "Line", **(source or {})}
    return {
        "TransformJobName": name,
        "ModelName": name,
        "TransformInput": {key: value for key, value in given.items() if value is not None},
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/{name}/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
            **(output or {}),
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1, **(resources or {})},
        **changes,
    }


def described(aws: LocalAws, name: str) -> Any:
    return aws.client("sagemaker").describe_transform_job(TransformJobName=name)


def output(aws: LocalAws, name: str, key: str = "rows.csv.out") -> bytes:
    with aws.client("s3").get_object(Bucket=BUCKET, Key=f"{name}/out/{key}")["Body"] as body:
        return bytes(body.read())


def outputs(aws: LocalAws, name: str) -> list[str]:
    found = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/out/")
    return [item["Key"].removeprefix(f"{name}/out/") for item in found.get("Contents", [])]


def log(aws: LocalAws, name: str) -> list[str]:
    events = aws.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix=f"{name}/"
    )["events"]
    return [event["message"] for event in events]


def test_lines_come_back_in_one_request(aws: LocalAws, run: Run) -> None:
    job = run("many")

    assert job["TransformJobStatus"] == "Completed"
    assert output(aws, "many") == b"a of 3\nb of 3\nc of 3\n"
    assert job["TransformEndTime"] >= job["TransformStartTime"] >= job["CreationTime"]


@pytest.mark.parametrize("after", [0, 0.5])
def test_a_container_that_is_killed_fails_its_job_and_no_other(aws: LocalAws, run: Run, after: float) -> None:
    name = f"killed-{after:g}".replace(".", "-")
    with Faults(aws) as faults:
        fault = faults.inject("crash:transform", name=name, after=after)
        job = run(name, mode="slow")
        assert (job["TransformJobStatus"], fault.fired) == ("Failed", 1)
        assert "AlgorithmError" in job["FailureReason"]
    assert run(f"{name}-not")["TransformJobStatus"] == "Completed"


def test_single_records_are_requests_of_their_own(aws: LocalAws, run: Run) -> None:
    run("single", BatchStrategy="SingleRecord", MaxConcurrentTransforms=3)

    assert output(aws, "single") == b"a of 1\nb of 1\nc of 1\n"


def test_mini_batches_fit_the_payload(aws: LocalAws, run: Run) -> None:
    row = b"x" * 400_000
    run("payload", b"\n".join([row] * 5), mode="size", MaxPayloadInMB=1, BatchStrategy="MultiRecord")

    assert output(aws, "payload").split() == [b"800001", b"800001", b"400000"]


def test_record_above_the_payload_fails(aws: LocalAws, run: Run) -> None:
    job = run("large", b"x" * 1_100_000, MaxPayloadInMB=1)

    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert any("Too much data for max payload size" in line for line in log(aws, "large"))


def test_object_is_one_record_without_splitting(aws: LocalAws, run: Run) -> None:
    run("whole", source={"SplitType": None}, output={"AssembleWith": "None"})

    assert output(aws, "whole") == b"a of 4\nb of 4\nc of 4\n of 4"


def test_compressed_object_is_unpacked(aws: LocalAws, run: Run) -> None:
    run("gzip", gzip.compress(b"a\nb\n"), source={"CompressionType": "Gzip"})

    assert output(aws, "gzip") == b"a of 2\nb of 2\n"


def test_object_that_is_not_compressed_fails(aws: LocalAws, run: Run) -> None:
    job = run("no-gzip", source={"CompressionType": "Gzip"})

    assert job["TransformJobStatus"] == "Failed"
    assert outputs(aws, "no-gzip") == []


def test_tfrecords_are_split(aws: LocalAws, run: Run) -> None:
    record = struct.pack("<Q", 3) + b"cccc" + b"abc" + b"cccc"
    run("tfrecord", record * 2, mode="size", source={"SplitType": "TFRecord"}, BatchStrategy="SingleRecord")

    assert output(aws, "tfrecord").split() == [b"19", b"19"]


def test_truncated_tfrecord_fails(run: Run) -> None:
    assert run("torn", b"\x09" + b"\0" * 9, source={"SplitType": "TFRecord"})["TransformJobStatus"] == "Failed"


def test_container_is_asked_for_its_parameters(aws: LocalAws, run: Run) -> None:
    run("asks", mode="asks")

    assert output(aws, "asks") == b"a of 1\nb of 1\nc of 1\n"
    assert any(
        "MaxConcurrentTransforms=2, MaxPayloadInMB=3, BatchStrategy=SINGLE_RECORD" in line for line in log(aws, "asks")
    )


def test_caller_overrides_the_parameters_of_the_container(aws: LocalAws, run: Run) -> None:
    run("own", mode="asks", BatchStrategy="MultiRecord")

    assert output(aws, "own") == b"a of 3\nb of 3\nc of 3\n"


def test_container_knows_that_it_runs_batch_transform(aws: LocalAws, run: Run) -> None:
    run("known", mode="environment", MaxPayloadInMB=2, BatchStrategy="MultiRecord", Environment={"SAGEMAKER_OWN": "1"})

    seen = json.loads(output(aws, "known"))
    assert seen["SAGEMAKER_BATCH"] == "true"
    assert (seen["SAGEMAKER_MAX_PAYLOAD_IN_MB"], seen["SAGEMAKER_BATCH_STRATEGY"]) == ("2", "MULTI_RECORD")
    assert seen["SAGEMAKER_OWN"] == "1"
    assert "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS" not in seen


def test_refused_record_fails_the_job_and_names_its_object(aws: LocalAws, run: Run) -> None:
    job = run("refused", b"a\nbad\n")

    assert (job["TransformJobStatus"], job["FailureReason"]) == (
        "Failed",
        "ClientError: See job logs for more information",
    )
    lines = [line.partition(":[sagemaker logs]: ")[2] for line in log(aws, "refused")]
    place = f"{BUCKET}/refused/in/rows.csv"
    assert f"{place}: ClientError: 400" in lines
    assert f"{place}: no such row" in lines
    assert outputs(aws, "refused") == []


def test_other_objects_keep_their_output_when_one_fails(aws: LocalAws, run: Run) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key="mixed/in/deep/good.csv", Body=b"a\n")

    assert run("mixed", b"bad\n")["TransformJobStatus"] == "Failed"
    assert outputs(aws, "mixed") == ["deep/good.csv.out"]


def test_server_error_is_tried_again(aws: LocalAws, run: Run) -> None:
    assert run("flaky", mode="flaky")["TransformJobStatus"] == "Completed"


def test_server_error_fails_without_retries(run: Run) -> None:
    job = run("broken", mode="broken", ModelClientConfig={"InvocationsMaxRetries": 0})

    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_container_that_ends_fails_the_job(run: Run) -> None:
    assert "failed to respond to ping" in run("exit", mode="exit")["FailureReason"]


def test_container_that_is_never_healthy_fails_the_job(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_constructs.local_aws.sagemaker.transform_run.PING_SECONDS", 1.0)

    assert "failed to respond to ping" in run("sick", mode="sick")["FailureReason"]


def test_no_input_fails_the_job(run: Run) -> None:
    assert "No S3 objects found" in run("nothing", b"")["FailureReason"]


def test_manifest_names_the_input(aws: LocalAws, run: Run) -> None:
    s3 = aws.client("s3")
    manifest = [{"prefix": f"s3://{BUCKET}/manifest/in/"}, "rows.csv"]
    s3.put_object(Bucket=BUCKET, Key="manifest/list.json", Body=json.dumps(manifest).encode())
    s3.put_object(Bucket=BUCKET, Key="manifest/in/other.csv", Body=b"bad\n")
    place = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/manifest/list.json"}

    run("manifest", source={"DataSource": {"S3DataSource": place}})

    assert outputs(aws, "manifest") == ["rows.csv.out"]


def test_single_object_keeps_its_name(aws: LocalAws, run: Run) -> None:
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/object/in/rows.csv"}

    run("object", source={"DataSource": {"S3DataSource": place}})

    assert outputs(aws, "object") == ["rows.csv.out"]


def test_csv_is_filtered_and_joined(aws: LocalAws, run: Run) -> None:
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}

    run("csv", b'7,a,b\n8,"c,d",e\n', DataProcessing=processing)

    assert output(aws, "csv") == b"7,b of 2\n8,e of 2\n"


def test_json_lines_are_joined(aws: LocalAws, run: Run) -> None:
    kinds = {"source": {"ContentType": "application/jsonlines"}, "output": {"Accept": "application/jsonlines"}}
    processing = {"InputFilter": "$.x", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}

    run("jsonl", b'{"id": 1, "x": "abc"}\n{"id": 2, "x": "d"}\n', mode="json", DataProcessing=processing, **kinds)

    lines = [json.loads(line) for line in output(aws, "jsonl").splitlines()]
    assert lines == [{"id": 1, "SageMakerOutput": {"class": 5}}, {"id": 2, "SageMakerOutput": {"class": 3}}]


def test_filter_outside_of_the_record_fails(aws: LocalAws, run: Run) -> None:
    job = run("outside", DataProcessing={"InputFilter": "$[5]"})

    assert job["FailureReason"].startswith("ClientError")
    assert any("$[5] does not fit the record" in line for line in log(aws, "outside"))


def test_join_needs_a_line_for_each_record(run: Run) -> None:
    job = run("short", mode="short", DataProcessing={"JoinSource": "Input"})

    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_stopped_job_stores_nothing(aws: LocalAws, run: Run) -> None:
    run("stopped", mode="slow", wait=False)
    wait_until(lambda: "TransformStartTime" in described(aws, "stopped"))

    aws.client("sagemaker").stop_transform_job(TransformJobName="stopped")

    assert described(aws, "stopped")["TransformJobStatus"] == "Stopping"
    wait_until(lambda: described(aws, "stopped")["TransformJobStatus"] == "Stopped")
    assert outputs(aws, "stopped") == []
    with pytest.raises(ClientError, match="in status Stopped"):
        aws.client("sagemaker").stop_transform_job(TransformJobName="stopped")


def test_name_can_be_used_once(aws: LocalAws, run: Run) -> None:
    run("twice")

    with pytest.raises(ClientError, match="ResourceInUse"):
        aws.client("sagemaker").create_transform_job(**request("twice"))


def test_jobs_are_listed_with_their_tags(aws: LocalAws, run: Run) -> None:
    job = run("listed", Tags=[{"Key": "mlops:pipeline", "Value": "churn"}])
    sagemaker = aws.client("sagemaker")

    (found,) = sagemaker.list_transform_jobs(NameContains="listed", StatusEquals="Completed")["TransformJobSummaries"]

    assert found["TransformJobArn"] == job["TransformJobArn"]
    assert sagemaker.list_tags(ResourceArn=job["TransformJobArn"])["Tags"][0]["Value"] == "churn"


def test_no_capacity_fails_the_job(aws: LocalAws, run: Run) -> None:
    aws.sagemaker.transform_jobs.capacity.refuse("ml.m5.large", 1)

    assert run("full")["FailureReason"].startswith("CapacityError")


def test_quota_refuses_the_job(aws: LocalAws, run: Run) -> None:
    aws.service_quotas.set("ml.c5.xlarge for transform job usage", 1)

    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        run("quota", resources={"InstanceType": "ml.c5.xlarge", "InstanceCount": 2})


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:ListBucket", "s3:GetObject", "ecr:BatchGetImage"])
def test_role_of_the_model_does_the_work(aws: LocalAws, run: Run, action: str) -> None:
    name = f"forbidden-{action.replace(':', '-').lower()}"

    with forbidden(aws, "batch", action):
        job = run(name)

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError")
    assert outputs(aws, name) == []


def test_output_is_encrypted_with_the_key(aws: LocalAws, run: Run) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    run("key", output={"KmsKeyId": key})

    assert aws.client("s3").head_object(Bucket=BUCKET, Key="key/out/rows.csv.out")["SSEKMSKeyId"] == key


REFUSED = {
    "payload": ({"MaxPayloadInMB": 101}, "cannot be greater than 100 MB"),
    "product": ({"MaxPayloadInMB": 26, "MaxConcurrentTransforms": 4}, "cannot exceed 100 MB"),
    "instances": ({"resources": {"InstanceCount": 101}}, "the maximum is 100"),
    "strategy": ({"source": {"SplitType": "None"}, "BatchStrategy": "MultiRecord"}, "must set SplitType"),
    "types": (
        {"source": {"ContentType": "text/plain"}, "DataProcessing": {"JoinSource": "Input"}},
        "to be the same of",
    ),
    "lines": ({"output": {"AssembleWith": "None"}, "DataProcessing": {"JoinSource": "Input"}}, "to be Line"),
    "disks": (
        {"resources": {"InstanceType": "ml.g4dn.xlarge", "VolumeKmsKeyId": "alias/aws/ebs"}},
        "local storage is encrypted by hardware",
    ),
    "key": ({"output": {"KmsKeyId": "11111111-2222-3333-4444-555555555555"}}, "does not exist"),
    "model": ({"ModelName": "none"}, "Could not find model"),
    "recordio": ({"source": {"SplitType": "RecordIO"}}, "does not support SplitType RecordIO"),
    "capture": ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, "does not support DataCaptureConfig"),
    "wildcard": ({"DataProcessing": {"InputFilter": "$[*]"}}, r"does not know \[\*\]"),
    "root": ({"DataProcessing": {"OutputFilter": "a"}}, r"must begin with \$"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_request_is_refused(run: Run, case: str) -> None:
    changes, message = REFUSED[case]

    with pytest.raises(ClientError, match=message):
        run(f"refusal-{case}", **changes)


def test_request_at_the_limit_of_the_payload_is_accepted(run: Run) -> None:
    assert run("limit", MaxPayloadInMB=25, MaxConcurrentTransforms=4)["TransformJobStatus"] == "Completed"


def test_job_that_does_not_exist_is_not_found(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="Could not find requested job"):
        described(aws, "none")
