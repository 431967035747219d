"""Endpoints of the local AWS: fleets of real processes, updates, rollbacks and invocations."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.endpoint_models import BUCKET, Models, listed, models_of_an_account, variant
from local_aws.tiny_container import (
    upload_model,
    wait_until,
)

from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.sagemaker.model_container import extract_model
from mlops_constructs.local_aws.sagemaker.runtime import choose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with models_of_an_account(tmp_path_factory.mktemp("container")) as made:
        yield made


def test_endpoint_serves_its_model(models: Models) -> None:
    name = models.serving("virginica")

    assert models.answer(name, Accept="application/json") == {
        "answer": "virginica",
        "Content-Type": "text/csv",
        "Accept": "application/json",
        "rows": "1,2",
        "variant": "primary",
    }


def test_description_shows_what_really_runs(models: Models) -> None:
    name = models.serving(InitialInstanceCount=2)

    (shown,) = models.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]

    assert shown["CurrentInstanceCount"] == shown["DesiredInstanceCount"] == 2
    assert "@sha256:" in shown["DeployedImages"][0]["ResolvedImage"]


def test_custom_attributes_come_back(models: Models) -> None:
    name = models.serving()

    response = models.aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=b"1", CustomAttributes="trace=7"
    )

    assert response["CustomAttributes"] == "trace=7"
    response["Body"].close()


def test_container_error_is_a_model_error(models: Models) -> None:
    name = models.serving()

    with pytest.raises(ClientError, match=r"ModelError.*client error \(400\).*no such row"):
        models.aws.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"bad")


def test_body_over_six_megabytes_is_refused(models: Models) -> None:
    name = models.serving()

    with pytest.raises(ClientError, match="6291456"):
        models.aws.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"0" * 6_291_457)


def test_invoking_what_does_not_exist_is_an_error(models: Models) -> None:
    with pytest.raises(ClientError, match="not found"):
        models.answer("never-made")


def test_program_that_ends_fails_the_endpoint_with_its_last_words(models: Models) -> None:
    name = models.endpoint(models.simple(mode="exit"))

    endpoint = models.settled(name)

    assert endpoint["EndpointStatus"] == "Failed"
    assert "ended with exit code 1" in endpoint["FailureReason"]
    assert "the model cannot be loaded" in endpoint["FailureReason"]
    with pytest.raises(ClientError, match="Cannot update failed endpoint"):
        models.update(name, models.simple())


def test_25_program_that_is_never_healthy_fails_the_endpoint(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.aws.sagemaker.endpoints, "health_seconds", 1.0)

    endpoint = models.settled(models.endpoint(models.simple(mode="sick")))

    assert endpoint["EndpointStatus"] == "Failed"
    assert "no response with status 200 to /ping within 1 seconds" in endpoint["FailureReason"]


def test_missing_model_archive_fails_the_endpoint(models: Models) -> None:
    data = upload_model(models.aws, BUCKET, "gone/model.tar.gz", "one")
    config = models.config(variant(models.model(uri=data)))
    models.aws.client("s3").delete_object(Bucket=BUCKET, Key="gone/model.tar.gz")

    endpoint = models.settled(models.endpoint(config))

    assert endpoint["EndpointStatus"] == "Failed"
    assert "cannot be started" in endpoint["FailureReason"]


def test_traffic_is_split_by_weight(models: Models) -> None:
    champion = variant(models.model("champion"), "champion", InitialVariantWeight=9)
    challenger = variant(models.model("challenger"), "challenger", InitialVariantWeight=1)
    name = models.endpoint(models.config(champion, challenger))
    models.settled(name)

    seen = Counter(models.answer(name)["variant"] for _ in range(60))

    assert seen["champion"] > seen["challenger"]
    assert models.answer(name, TargetVariant="challenger")["answer"] == "challenger"
    with pytest.raises(ClientError, match="Variant nobody not found"):
        models.answer(name, TargetVariant="nobody")


def two_variants(models: Models, champion: float, challenger: float) -> str:
    """An endpoint with two variants of these weights; gives its name."""
    name = models.endpoint(
        models.config(
            variant(models.model("champion"), "champion", InitialVariantWeight=champion),
            variant(models.model("challenger"), "challenger", InitialVariantWeight=challenger),
        )
    )
    assert models.settled(name)["EndpointStatus"] == "InService"
    return name


def test_variants_are_drawn_by_weight_and_independently(models: Models) -> None:
    name = two_variants(models, 0.9, 0.1)
    variants = models.aws.sagemaker.endpoints.serving(name).variants

    drawn = [choose(name, variants, None).name == "challenger" for _ in range(10_000)]

    # Outside these bounds with a probability below 1e-9. A router that takes turns has no pairs.
    assert 810 <= sum(drawn) <= 1_200
    pairs = sum(one and next_one for one, next_one in pairwise(drawn))
    assert 40 <= pairs <= 185


def test_requests_are_split_by_weight(models: Models) -> None:
    name = two_variants(models, 0.9, 0.1)

    seen = Counter(models.answer(name)["variant"] for _ in range(300))

    assert 3 <= seen["challenger"] <= 74  # outside with a probability below 1e-10
    assert seen["champion"] == 300 - seen["challenger"]


def test_a_variant_without_weight_answers_its_target_only(models: Models) -> None:
    name = two_variants(models, 1, 0)

    assert {models.answer(name)["variant"] for _ in range(100)} == {"champion"}
    assert {models.answer(name, TargetVariant="challenger")["answer"] for _ in range(100)} == {"challenger"}


def test_deleted_endpoint_is_gone(models: Models) -> None:
    name = models.serving()
    models.sagemaker.delete_endpoint(EndpointName=name)

    wait_until(lambda: name not in listed(models))

    with pytest.raises(ClientError, match="Could not find endpoint"):
        models.sagemaker.describe_endpoint(EndpointName=name)


def test_endpoint_deleted_while_it_is_made_leaves_no_process(models: Models) -> None:
    name = models.endpoint(models.simple(mode="sick"))
    models.sagemaker.delete_endpoint(EndpointName=name)

    wait_until(lambda: name not in listed(models))
    wait_until(lambda: not any((models.aws.workdir / "endpoints" / name).glob("*")))


def test_names_are_unique_without_regard_to_case(models: Models) -> None:
    name = models.serving()

    with pytest.raises(ClientError, match="already existing endpoint"):
        models.sagemaker.create_endpoint(EndpointName=name.upper(), EndpointConfigName=models.simple())


def test_unknown_configuration_is_refused(models: Models) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        models.endpoint("never-made")


def test_configuration_is_kept_as_it_was_sent(models: Models) -> None:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": f"s3://{BUCKET}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    name = models.simple(InstanceType="ml.c7i.large")
    captured = models.config(variant(models.model()), DataCaptureConfig=capture)

    described = models.sagemaker.describe_endpoint_config(EndpointConfigName=captured)

    assert described["DataCaptureConfig"] == capture
    listed_names = [item["EndpointConfigName"] for item in models.sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    assert listed_names[:2] == [captured, name]
    models.sagemaker.delete_endpoint_config(EndpointConfigName=captured)
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        models.sagemaker.describe_endpoint_config(EndpointConfigName=captured)


@pytest.mark.parametrize(
    ("enable", "told"),
    [({}, (True, "Started", 50)), ({"EnableCapture": False}, (False, "Stopped", 50))],
    ids=["by default", "disabled"],
)
def test_the_description_tells_whether_it_captures(
    models: Models, enable: dict[str, Any], told: tuple[bool, str, int]
) -> None:
    config = {
        **enable,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": f"s3://{BUCKET}/told",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    name = models.endpoint(models.config(variant(models.model()), DataCaptureConfig=config))

    summary = models.settled(name)["DataCaptureConfig"]

    assert (summary["EnableCapture"], summary["CaptureStatus"], summary["CurrentSamplingPercentage"]) == told
    # DataCaptureConfigSummary requires all of its members.
    assert (summary["DestinationS3Uri"], summary["KmsKeyId"]) == (f"s3://{BUCKET}/told", "")


def test_an_endpoint_without_data_capture_tells_nothing_of_it(models: Models) -> None:
    assert "DataCaptureConfig" not in models.settled(models.serving())


def test_invocations_are_captured(models: Models) -> None:
    config = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    name = models.endpoint(models.config(variant(models.model()), DataCaptureConfig=config))
    assert models.settled(name)["DataCaptureConfig"]["CaptureStatus"] == "Started"
    models.answer(name)
    models.answer(name, InferenceId="order 7")
    s3 = models.aws.client("s3")

    def captured() -> list[dict[str, Any]]:
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captured/{name}/primary/").get("Contents", [])
        return [json.loads(s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()) for one in listed]

    wait_until(lambda: len(captured()) == 2)
    first, second = sorted(captured(), key=lambda one: "inferenceId" in one["eventMetadata"])
    assert set(first["eventMetadata"]) == {"eventId", "inferenceTime"}
    assert second["eventMetadata"]["inferenceId"] == "order 7"
    sent, received = first["captureData"]["endpointInput"], first["captureData"]["endpointOutput"]
    assert (sent["data"], sent["encoding"], sent["observedContentType"]) == ("1,2", "CSV", "text/csv")
    assert (received["encoding"], received["mode"]) == ("BASE64", "OUTPUT")


@pytest.mark.parametrize("given", ["ä", "x" * 65])
def test_an_inference_id_that_sagemaker_refuses_is_refused(models: Models, given: str) -> None:
    with pytest.raises(ClientError, match=r"(?i)inferenceId"):
        models.answer(models.serving(), InferenceId=given.encode().decode("latin-1"))


def test_47_capture_that_fails_costs_no_invocation(models: Models) -> None:
    told: list[str] = []
    models.aws.add_listener(told.append)
    config = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://no-such-bucket/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    name = models.endpoint(models.config(variant(models.model("one")), DataCaptureConfig=config))
    models.settled(name)

    assert models.answer(name)["answer"] == "one"
    wait_until(lambda: any("was not captured" in line for line in told))


def test_36_senseless_configuration_is_refused(models: Models) -> None:
    model = models.model()
    with pytest.raises(ClientError, match="must be unique"):
        models.config(variant(model), variant(model))
    with pytest.raises(ClientError, match="Could not find model"):
        models.config(variant("never-made"))


def test_log_lines_reach_cloudwatch(models: Models) -> None:
    name = models.serving()
    logs, group = models.aws.client("logs"), f"/aws/sagemaker/Endpoints/{name}"

    def messages() -> list[str]:
        events = logs.filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]

    assert wait_until(messages) == ["serving in mode normal"]


def test_endpoint_is_tagged(models: Models) -> None:
    name = models.name("endpoint")
    arn = models.sagemaker.create_endpoint(
        EndpointName=name, EndpointConfigName=models.simple(), Tags=[{"Key": "team", "Value": "iris"}]
    )["EndpointArn"]
    models.settled(name)

    assert models.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "iris"}]
    models.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert models.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


@pytest.mark.parametrize("name", ["../outside", "/absolute"])
def test_19_hostile_model_archive_writes_nothing_outside(tmp_path: Path, name: str) -> None:
    target = tmp_path / "model"
    target.mkdir()
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))

    if name.startswith("/"):  # the data filter strips the slash
        extract_model(archive, target)
    else:
        with pytest.raises(ContainerError, match="cannot be extracted"):
            extract_model(archive, target)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.tar.gz"]


def test_truncated_model_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"\x1f\x8b\x08 not really")

    with pytest.raises(ContainerError, match="cannot be extracted"):
        extract_model(archive, tmp_path)
