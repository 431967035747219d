"""The data bucket, the artifact bucket, and one call of CheckDataset."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from check_dataset.handler import handler

from handler_kit import clients

if TYPE_CHECKING:
    from collections.abc import Callable

EXECUTION = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
IRIS = b"setosa,5.1,3.5\nversicolor,7.0,3.2\nvirginica,6.3,3.3\n"
FLEET = {
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": "2",
    "Autoscales": "true",
    "MinCapacity": "2",
    "MaxCapacity": "6",
    "CaptureSampling": "20",
    "TargetValue": "750.0",
    "ScaleInCooldown": "300",
    "ScaleOutCooldown": "60",
}
ENDPOINT = {
    "instance_types": ["ml.m5.large", "ml.c5.large", "ml.t2.large"],
    "min_instance_count": 1,
    "max_instance_count": 10,
    "autoscaling": True,
    "min_sampling_percentage": 0,
}
LIMITS = {
    "training": {
        "instance_types": ["ml.m5.xlarge", "ml.m4.xlarge"],
        "max_instance_count": 100,
        "max_volume_size_in_gb": 30,
        "max_runtime_in_seconds": 82_800,
        "environment": True,
    },
    "dev": ENDPOINT,
    "production": ENDPOINT,
    "ab_test": False,
}
SETTINGS = {
    "artifact_bucket": "artifacts",
    "max_bytes": "5000000",
    "max_inspected_bytes": "2000000",
    "readable": "s3://data/ s3://inputs/",
    "contract_key": "",
    "duplicates": "allow",
    "pipeline": "iris-1a2b3c",
    "image_parameter": "/iris-1a2b3c/image",
    "production_stack": "iris-1a2b3c-production",
    "dev_stack": "",
    "role_arns": "arn:aws:iam::123456789012:role/teams/deploy",
    "topic_arn": "arn:aws:sns:us-east-1:123456789012:approvals",
    "fleets": json.dumps({"dev": {**FLEET, "Autoscales": "false"}, "production": FLEET}),
    "min_instances": '{"dev": "1", "production": "2"}',
}


class Lake:
    """Buckets with versions, as a pipeline has them."""

    execution = EXECUTION

    def __init__(self, load_event: Callable[..., dict[str, Any]]) -> None:
        self._load_event = load_event
        self.s3 = clients.client("s3")
        for bucket in ("data", "artifacts"):
            self.s3.create_bucket(Bucket=bucket)
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        clients.client("iam").create_role(RoleName="deploy", Path="/teams/", AssumeRolePolicyDocument="{}")
        clients.client("sns").create_topic(Name="approvals")

    def put(self, key: str, content: bytes | dict[str, Any]) -> str:
        """Upload to the data bucket; give the version."""
        body = json.dumps(content).encode() if isinstance(content, dict) else content
        return str(self.s3.put_object(Bucket="data", Key=key, Body=body)["VersionId"])

    def check(self, key: str, version_id: str, **params: str) -> None:
        """Call the function."""
        handler(self._load_event("check_dataset", params={"key": key, "version_id": version_id, **params}), None)

    def check_new(self, key: str, content: bytes | dict[str, Any]) -> None:
        """Upload, and call the function on what was uploaded."""
        self.check(key, self.put(key, content))

    def pinned(self) -> dict[str, bytes]:
        """What lies in the artifact bucket."""
        listed = self.s3.list_objects_v2(Bucket="artifacts").get("Contents", [])
        return {one["Key"]: self.s3.get_object(Bucket="artifacts", Key=one["Key"])["Body"].read() for one in listed}

    def remember(self, sha256: str, *, execution_id: str = "earlier", pipeline: str = "iris-1a2b3c") -> None:
        """Put a training on record, as Register does."""
        record = {"execution_id": execution_id, "model_package_arn": "arn:package", "dataset_version": "v"}
        key = f"trained/{pipeline}/{sha256}.json"
        self.s3.put_object(Bucket="artifacts", Key=key, Body=json.dumps(record).encode())


def make_lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    """Buckets, and the function's settings."""
    set_env(SETTINGS)
    write_document(LIMITS)
    return Lake(load_event)
