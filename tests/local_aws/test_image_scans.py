"""ECR scans an image when it is pushed, where its repository says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import local_aws

from mlops_constructs.local_aws.containers.images import MANIFEST_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

MANIFEST = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": {}, "layers": []}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as aws:
        yield aws


def push(aws: LocalAws, repository: str, *, scans: bool) -> dict[str, Any]:
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName=repository, imageScanningConfiguration={"scanOnPush": scans})
    image: dict[str, Any] = ecr.put_image(
        repositoryName=repository, imageTag="one", imageManifest=json.dumps({**MANIFEST, "name": repository})
    )["image"]["imageId"]
    return image


def findings(aws: LocalAws, repository: str, image: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("ecr").describe_image_scan_findings(repositoryName=repository, imageId=image)
    return found


def test_49_an_image_is_scanned_when_it_is_pushed(aws: LocalAws) -> None:
    image = push(aws, "scanned", scans=True)
    for name in ("imageTag", "imageDigest"):
        found = findings(aws, "scanned", {name: image[name]})
        assert found["imageScanStatus"]["status"] == "COMPLETE"
        assert found["imageScanFindings"]["findingSeverityCounts"] == {}
    aws.ecr.findings["scanned"] = {"CRITICAL": 2}
    found = findings(aws, "scanned", {"imageTag": "one"})
    assert found["imageScanFindings"]["findingSeverityCounts"] == {"CRITICAL": 2}


def test_49_without_scan_on_push_there_is_no_scan_until_somebody_starts_one(aws: LocalAws) -> None:
    image = push(aws, "unscanned", scans=False)
    with pytest.raises(ClientError, match="Image scan does not exist") as refused:
        findings(aws, "unscanned", image)
    assert refused.value.response["Error"]["Code"] == "ScanNotFoundException"
    aws.client("ecr").start_image_scan(repositoryName="unscanned", imageId={"imageTag": "one"})
    assert findings(aws, "unscanned", image)["imageScanStatus"]["status"] == "COMPLETE"
    with pytest.raises(ClientError) as missing:
        findings(aws, "unscanned", {"imageTag": "two"})
    assert missing.value.response["Error"]["Code"] == "ImageNotFoundException"
