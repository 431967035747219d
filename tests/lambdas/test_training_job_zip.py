"""The MLOps workshop's trainingjob.zip is taken as it is; what cannot be honoured is told or refused by name."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from check_dataset.archive import MAX_FILE_BYTES, read_archive
from check_dataset.endpoints import parse_endpoints
from check_dataset.workshop import parse_job
from hypothesis import given
from hypothesis import strategies as st
from lambdas.lake import EXECUTION, IRIS, Lake, make_lake

from handler_kit import clients
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "ab" * 32
REPOSITORY = IMAGE.partition("@")[0]
LEAST = {"dev": "1", "production": "2"}


def channel(name: str, uri: str = "s3://inputs/iris-model/input") -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{uri}/{name}", "S3DataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": "text/csv",
        "CompressionType": "None",
    }


def workshop_job(**changes: Any) -> dict[str, Any]:
    """What the workshop's second notebook writes, field by field."""
    job = {
        "AlgorithmSpecification": {"TrainingImage": f"{REPOSITORY}:latest", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/MLOps",
        "OutputDataConfig": {"S3OutputPath": "s3://sagemaker-us-east-1-123456789012/iris-model/output"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 30},
        "TrainingJobName": "iris-model-2020-04-17-12-00-00",
        "HyperParameters": {"max_depth": "20", "n_jobs": "4", "n_estimators": "120"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 360000},
        "InputDataConfig": [channel("train"), channel("validation")],
        "Tags": [],
    }
    return {name: value for name, value in {**job, **changes}.items() if value is not None}


def workshop_deployment(**production: Any) -> dict[str, Any]:
    scaling = {
        "MinCapacity": 2,
        "MaxCapacity": 10,
        "TargetValue": 200.0,
        "ScaleInCooldown": 30,
        "ScaleOutCooldown": 60,
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
    }
    common = {
        "InferenceMonitoring": True,
        "InferenceMonitoringSampling": 100,
        "InferenceMonitoringOutputBucket": "s3://sagemaker-us-east-1-123456789012/iris-model/monitoring/prd",
        "ABTests": True,
        "InitialInstanceCount": 2,
    }
    return {
        "EndpointPrefix": "iris-model",
        "DevelopmentEndpoint": {
            **common,
            "InferenceMonitoring": False,
            "InstanceType": "ml.t2.large",
            "InitialInstanceCount": 1,
            "AutoScaling": None,
        },
        "ProductionEndpoint": {
            **common,
            "InstanceType": "ml.c5.large",
            "InitialVariantWeight": 0.1,
            "AutoScaling": scaling,
            **production,
        },
    }


def zip_of(**files: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.json", json.dumps(content))
    return buffer.getvalue()


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    """With the workshop's data in a bucket without versions."""
    lake = make_lake(load_event, set_env, write_document)
    lake.s3.create_bucket(Bucket="inputs")
    for key, body in (
        ("train/a.csv", IRIS),
        ("train/more/b.csv", IRIS),
        ("validation/v.csv", IRIS),
        ("train2/x", b"x"),
    ):
        lake.s3.put_object(Bucket="inputs", Key=f"iris-model/input/{key}", Body=body)
    clients.client("ssm").put_parameter(Name="/iris-1a2b3c/image", Value=IMAGE, Type="String")
    return lake


def check(lake: Lake, body: bytes) -> None:
    key = "training_jobs/iris-model/trainingjob.zip"
    version = lake.s3.put_object(Bucket="data", Key=key, Body=body)["VersionId"]
    lake.check(key, version)


def test_the_unchanged_zip_becomes_a_pinned_data_set_and_a_request(lake: Lake, reports: Any) -> None:
    check(lake, zip_of(trainingjob=workshop_job(), deployment=workshop_deployment()))
    folder = f"datasets/iris-1a2b3c/{EXECUTION}"
    assert reports.outputs["RequestUri"] == f"s3://artifacts/{folder}/request.json"
    pinned = lake.pinned()
    assert {key for key in pinned if key.startswith((f"{folder}/train", f"{folder}/validation"))} == {
        f"{folder}/train/a.csv",
        f"{folder}/train/more/b.csv",
        f"{folder}/validation/v.csv",
    }
    request = json.loads(pinned[f"{folder}/request.json"])
    assert request["training"] == {
        "HyperParameters": {"max_depth": "20", "n_jobs": "4", "n_estimators": "120"},
        "ResourceConfig": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 82_800},
    }
    assert request["endpoints"] == {
        "dev": {
            "InstanceType": "ml.t2.large",
            "EncryptVolume": "true",
            "InitialInstanceCount": "1",
            "CaptureSampling": "0",
            "Autoscales": "false",
        },
        "production": {
            "InstanceType": "ml.c5.large",
            "EncryptVolume": "true",
            "InitialInstanceCount": "2",
            "CaptureSampling": "100",
            "Autoscales": "true",
            "MinCapacity": "2",
            "MaxCapacity": "10",
            "TargetValue": "200",
            "ScaleInCooldown": "30",
            "ScaleOutCooldown": "60",
        },
    }


@pytest.mark.parametrize(
    "note",
    [
        "RoleArn: the pipeline's own training role is used",
        "TrainingJobName: the pipeline names the job after its execution",
        "OutputDataConfig: the model goes to the artifact bucket",
        "MaxRuntimeInSeconds 360000: 82800 (23 h) is used",
        f"TrainingImage {REPOSITORY}:latest: trained with {IMAGE}",
        "EndpointPrefix: the pipeline names its endpoints itself",
        "ProductionEndpoint.ABTests: with the argument ab_test of MLOpsPipeline every release becomes a challenger",
        "ProductionEndpoint.InitialVariantWeight: a challenger gets the challenger_weight of the pipeline's ab_test",
        "ProductionEndpoint.InferenceMonitoringOutputBucket: captured requests stay in the artifact bucket",
    ],
)
def test_what_is_not_taken_as_it_is_stands_in_the_summary(lake: Lake, reports: Any, note: str) -> None:
    check(lake, zip_of(trainingjob=workshop_job(), deployment=workshop_deployment()))
    assert note in reports.only("success")["executionDetails"]["summary"]


def test_a_zip_without_tags_and_with_umlauts_is_taken(lake: Lake, reports: Any) -> None:
    job = workshop_job(Tags=None, HyperParameters={"größe": "3"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("trainingjob.json", json.dumps(job, ensure_ascii=False).encode())
    check(lake, buffer.getvalue())
    assert reports.outputs["Channels"] == "train,validation"


def test_the_second_file_may_be_named_environment(lake: Lake, reports: Any) -> None:
    check(lake, zip_of(trainingjob=workshop_job(), environment=workshop_deployment()))
    assert json.loads(lake.pinned()[f"datasets/iris-1a2b3c/{EXECUTION}/request.json"])["endpoints"]["dev"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"EnableManagedSpotTraining": True}, "the request has the unknown field EnableManagedSpotTraining"),
        ({"VpcConfig": {}}, "unknown field VpcConfig"),
        ({"HyperParameters": {"depth": 3}}, "HyperParameters.depth must be a string, because SageMaker requires it"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "MaxRuntimeInSeconds must be a whole number from 1"),
        ({"StoppingCondition": {"MaxWaitTimeInSeconds": 9}}, "unknown field MaxWaitTimeInSeconds"),
        ({"ResourceConfig": {"InstanceType": "m5"}}, "InstanceType 'm5' is not a SageMaker instance type"),
        (
            {"ResourceConfig": {"InstanceCount": 101}},
            "ResourceConfig.InstanceCount must be a whole number from 1 to 100",
        ),
        ({"InputDataConfig": None}, "the request has no InputDataConfig"),
        ({"InputDataConfig": [channel("test")]}, "channels has no train, only test"),
        ({"InputDataConfig": [channel("train"), channel("train")]}, "the channel train is given twice"),
        ({"InputDataConfig": [{**channel("train"), "ContentType": "image/png"}]}, "ContentType must be 'text/csv'"),
        ({"InputDataConfig": [{**channel("train"), "CompressionType": "Gzip"}]}, "CompressionType must be 'None'"),
        ({"InputDataConfig": [channel("train", "https://x")]}, "S3Uri must be s3://bucket/prefix"),
        ({"InputDataConfig": [channel("train", "s3://foreign/a")]}, "this pipeline may not read it"),
        ({"InputDataConfig": [channel("train", "s3://inputs/none")]}, "no objects there, or only empty ones"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "other/image:latest"}},
            "TrainingImage is other/image:latest, but",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": f"{REPOSITORY}:old"}},
            f"this pipeline trains and serves {IMAGE}",
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}, "TrainingInputMode must be 'File', got 'Pipe'"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    lake: Lake, reports: Any, changes: dict[str, Any], problem: str
) -> None:
    if changes.get("InputDataConfig") == [channel("test")]:
        lake.s3.put_object(Bucket="inputs", Key="iris-model/input/test/a.csv", Body=IRIS)
    check(lake, zip_of(trainingjob=workshop_job(**changes)))
    assert problem in reports.message
    assert reports.kind == "ConfigurationError"
    assert lake.pinned() == {}


def test_all_problems_of_a_zip_are_told_at_once(lake: Lake, reports: Any) -> None:
    job = workshop_job(
        AlgorithmSpecification={"TrainingImage": "other/image:latest"},
        ResourceConfig={"InstanceType": "m4", "InstanceCount": 0},
        InputDataConfig=[channel("train", "s3://foreign/a"), channel("validation", "https://x")],
        HyperParameters={"depth": 3, "trees": 4},
        VpcConfig={},
    )
    check(lake, zip_of(trainingjob=job, deployment=workshop_deployment(InstanceType="c5", ABTests="no")))
    told = (
        "VpcConfig",
        "InputDataConfig[1]",
        "ResourceConfig.InstanceType",
        "ResourceConfig.InstanceCount",
        "HyperParameters.depth",
        "HyperParameters.trees",
        "ProductionEndpoint.ABTests",
        "ProductionEndpoint.InstanceType",
        "TrainingImage is other/image:latest",
        "s3://foreign/a/train",
    )
    title, *lines = reports.message.split("\n- ")
    assert title == f"{len(told)} problems"
    for line, expected in zip(lines, told, strict=True):
        assert expected in line


@pytest.mark.parametrize("image", [IMAGE, REPOSITORY, f"{REPOSITORY}:latest", None])
def test_the_pipelines_own_image_may_be_named(lake: Lake, reports: Any, image: str | None) -> None:
    check(lake, zip_of(trainingjob=workshop_job(AlgorithmSpecification={"TrainingImage": image} if image else None)))
    assert reports.outputs["Channels"] == "train,validation"


@pytest.mark.parametrize(
    ("production", "problem"),
    [
        ({"ABTests": "no"}, "ProductionEndpoint.ABTests must be true or false"),
        ({"InstanceType": "c5"}, "ProductionEndpoint.InstanceType must look like"),
        ({"InitialInstanceCount": 1}, "InitialInstanceCount is 1; the configured rollout needs at least 2"),
        ({"InitialInstanceCount": 11}, "InitialInstanceCount 11 is not within 2 to 10"),
        ({"InferenceMonitoringSampling": 0}, "InferenceMonitoringSampling must be a whole number from 1 to 100"),
        ({"InstanceType": "ml.t2.large"}, "burstable T2 instances cannot autoscale"),
        ({"AutoScaling": {"MinCapacity": 5, "MaxCapacity": 3}}, "MinCapacity 5 is above MaxCapacity 3"),
        ({"AutoScaling": {"PredefinedMetricType": "CPU"}}, "PredefinedMetricType must be SageMakerVariantInvocations"),
        ({"AutoScaling": {"Minimum": 5}}, "AutoScaling has the unknown field Minimum"),
        ({"Memory": 5}, "ProductionEndpoint has the unknown field Memory"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused_by_field(production: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse_endpoints(json.dumps(workshop_deployment(**production)), "zip / deployment.json", LEAST)
    assert "zip / deployment.json: ProductionEndpoint" in str(refusal.value)
    assert problem in str(refusal.value)


def test_an_instance_with_its_own_disk_gets_no_volume_key() -> None:
    found = parse_endpoints(json.dumps(workshop_deployment(InstanceType="ml.m5d.large")), "here", LEAST)
    assert found.parameters["production"]["EncryptVolume"] == "false"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "there is no trainingjob.json in it"),
        ({"job/trainingjob.json": b"{}"}, "job/trainingjob.json must be at the top level"),
        ({"trainingjob.json": b"{}", "notes.txt": b""}, "notes.txt is not used here"),
        ({"trainingjob.json": b"{"}, "trainingjob.json: not a valid training job"),
        ({"trainingjob.json": b"\xff"}, "trainingjob.json: must be UTF-8"),
        ({"trainingjob.json": b"{}", "deployment.json": b"{}", "environment.json": b"{}"}, "keep one"),
        (
            {"trainingjob.json": b"{}", "assets/deploy-model-prd.yml": b""},
            "assets/deploy-model-prd.yml: this is the workshop's first format",
        ),
    ],
)
def test_a_zip_with_other_files_is_refused_by_name(files: dict[str, bytes], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse_job(files, "here", LEAST)
    assert problem in str(refusal.value)


def archive_of(*names: str, **more: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                entry = zipfile.ZipInfo("x")
                entry.filename = name
                entry.external_attr = more.get("mode", 0o644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, more.get("content", b"{}"))
    return buffer.getvalue()


def damaged(body: bytes) -> bytes:
    """Other content under the same check sum."""
    return body.replace(b"stored content", b"broken content", 1)


def stored() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "stored content")
    return buffer.getvalue()


def encrypted() -> bytes:
    """With the flag of encryption on both headers of the entry."""
    body = bytearray(archive_of("a"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = body.find(signature) + offset
        struct.pack_into("<H", body, place, struct.unpack_from("<H", body, place)[0] | 1)
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"no zip", "not a complete zip file"),
        (archive_of("a")[:40], "not a complete zip file"),
        (archive_of(), "it has no files"),
        (damaged(stored()), "Bad CRC-32"),
        (encrypted(), "'a' is encrypted"),
        (archive_of("../a"), "'../a' is not a plain relative path"),
        (archive_of("/a"), "not a plain relative path"),
        (archive_of("C:/a"), "not a plain relative path"),
        (archive_of("a\\b"), "not a plain relative path"),
        (archive_of("a/./b"), "not a plain relative path"),
        (archive_of("a", "a"), "two entries are named 'a'"),
        (archive_of("a", mode=0o120777), "'a' is a symbolic link"),
        (archive_of(*map(str, range(101))), "101 entries; at most 100"),
        (archive_of("a", content=b"0" * (MAX_FILE_BYTES + 1)), "unpacks to more than 1048576 bytes"),
        (archive_of("a", content=b"0" * 1_000_000), "more than 200 times its compressed size"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "zip",
)
def test_16_17_18_a_hostile_zip_is_refused_with_the_reason(body: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read_archive(body, "s3://data/trainingjob.zip")
    assert str(refusal.value).startswith("s3://data/trainingjob.zip: ")
    assert problem in str(refusal.value)


def test_what_finder_and_explorer_leave_in_a_zip_is_no_matter() -> None:
    body = archive_of("trainingjob.json", "__MACOSX/._trainingjob.json", ".DS_Store")
    assert read_archive(body, "here") == {"trainingjob.json": b"{}"}


def test_18_a_zip_too_large_for_a_description_is_refused(lake: Lake, reports: Any) -> None:
    check(lake, b"x" * 1_100_000)
    assert "a training job's zip may have at most 1048576" in reports.message


@given(body=st.binary(), cut=st.integers(0, 400), noise=st.binary(max_size=3))
def test_16_any_bytes_are_an_archive_or_refused_by_place(body: bytes, cut: int, noise: bytes) -> None:
    whole = archive_of("a", "b")
    for candidate in (body, whole[:cut] + noise + whole[cut + len(noise) :]):
        problem = "here"
        try:
            read_archive(candidate, "here")
        except ConfigurationError as error:
            problem = str(error)
        assert problem.startswith("here")


@given(text=st.text())
def test_any_text_is_a_training_job_or_refused_by_place(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^here / trainingjob\.json: "):
        parse_job({"trainingjob.json": text.encode(errors="ignore")}, "here", LEAST)
