"""A script's source on its way: from the function to the training job, and on record with the model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
import register_model.settings
from lambdas.test_register_model import BUCKET, trained
from register_model.register import Services, register
from train_model.settings import Document, Params, Settings
from train_model.source import code_channel, put_source

from handler_kit import clients
from handler_kit.errors import StepError

if TYPE_CHECKING:
    from pathlib import Path

SHA = "5e" * 32
DOCUMENT = Document({}, None, {}, {}, None, [], 0, SHA, {}, None)
WITHOUT = dataclasses.replace(DOCUMENT, source_sha256=None)
SETTINGS = Settings("artifacts", None, "role", "iris", "/iris/image", "iris", None, None)
PARAMS = Params("execution", "s3://artifacts/datasets/x", "train,validation", "0f" * 32, "none", "none", "train")
KEY = f"datasets/iris/sources/{SHA}/sourcedir.tar.gz"
SERVING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6-cpu-py312"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    (tmp_path / "sourcedir.tar.gz").write_bytes(b"source")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="artifacts")
    return s3


def test_the_source_is_where_the_channel_reads(s3: Any) -> None:
    put_source(PARAMS, SETTINGS, DOCUMENT, s3)
    (channel,) = code_channel(SETTINGS, DOCUMENT)
    source = channel["DataSource"]["S3DataSource"]
    assert f"s3://artifacts/{KEY}" == f"{source['S3Uri']}sourcedir.tar.gz"
    assert s3.get_object(Bucket="artifacts", Key=KEY)["Body"].read() == b"source"
    # In any input mode and distribution of the data, each host has the file.
    assert (channel["InputMode"], source["S3DataDistributionType"]) == ("File", "FullyReplicated")


def test_without_a_script_nothing_is_written(s3: Any) -> None:
    put_source(PARAMS, SETTINGS, WITHOUT, s3)
    assert s3.list_objects_v2(Bucket="artifacts")["KeyCount"] == 0
    assert code_channel(SETTINGS, WITHOUT) == []


def test_a_channel_of_the_data_set_with_its_name_is_refused(s3: Any) -> None:
    params = dataclasses.replace(PARAMS, channels="code,train")
    with pytest.raises(
        StepError, match="The data set has a channel code, which is the name of the script's; rename it"
    ):
        put_source(params, SETTINGS, DOCUMENT, s3)
    put_source(params, SETTINGS, WITHOUT, s3)


@pytest.mark.parametrize("with_source", [True, False])
def test_the_registry_records_script_serving_image_and_environment(script: Any, with_source: bool) -> None:
    source = {"S3DataSource": {"S3Uri": f"s3://artifacts/datasets/iris/sources/{SHA}/"}}
    job = trained(InputDataConfig=[{"ChannelName": "code", "DataSource": source}] if with_source else [])
    sagemaker = script("sagemaker").answer("DescribeTrainingJob", **job)
    sagemaker.answer("ListModelPackages", ModelPackageSummaryList=[]).answer(
        "CreateModelPackage", ModelPackageArn="arn"
    )
    ecr = script("ecr").answer("BatchGetImage", images=[{"imageId": {"imageDigest": "sha256:" + "cd" * 32}}])
    settings = register_model.settings.Settings("iris", {}, BUCKET, SERVING, {"SAGEMAKER_PROGRAM": "inference.py"})
    params = register_model.settings.Params("execution", "job", "s3://x", "0f" * 32, "v1", "none", "none", "none")
    release = register(
        params, settings, Services(sagemaker.client, ecr.answer("DescribeImages", imageDetails=[]).client, None)
    )
    (request,) = sagemaker.requests["CreateModelPackage"]
    (container,) = request["InferenceSpecification"]["Containers"]
    assert container["Image"] == release.image == SERVING.replace(":2.6-cpu-py312", "@sha256:" + "cd" * 32)
    assert container["Environment"] == {"SAGEMAKER_PROGRAM": "inference.py"}
    assert request["CustomerMetadataProperties"].get("source_sha256") == (SHA if with_source else None)
