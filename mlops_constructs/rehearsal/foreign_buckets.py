"""Buckets that a stack uses but does not create: on AWS they exist; here empty ones replace them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.local_aws.local_aws import LocalAws


class ForeignBuckets:
    """The buckets that a synthesized stack names, but another stack or a person has created."""

    def __init__(self, stack: Path, aws: LocalAws) -> None:
        self._stack, self._aws = stack, aws
        self._names: list[str] = []

    def make(self) -> list[str]:
        """Create them as their owners must: with versioning and events to EventBridge. Returns their names.

        A name that is a Terraform reference belongs to a bucket that the stack creates.
        """
        document = json.loads((self._stack / "cdk.tf.json").read_text(encoding="utf-8"))
        resources = document.get("resource", {})
        own = {one.get("bucket") for one in resources.get("aws_s3_bucket", {}).values()}
        self._names = sorted({name for name in _named(resources) if "${" not in name and name not in own})
        s3, region = self._aws.client("s3"), self._aws.region
        # The only region that S3 does not accept as a location constraint.
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        for name in self._names:
            s3.create_bucket(Bucket=name, **where)
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
            self._aws.log(f"the stack does not create the bucket {name}: an empty one replaces it")
        return self._names

    def delete(self) -> None:
        """Delete them with their objects."""
        s3 = self._aws.client("s3")
        for name in self._names:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
            s3.delete_bucket(Bucket=name)


def _named(resources: dict[str, Any]) -> Iterator[str]:
    for pipeline in resources.get("aws_codepipeline", {}).values():
        yield from (store["location"] for store in pipeline["artifact_store"])
        for stage in pipeline["stage"]:
            yield from (
                action["configuration"]["S3Bucket"]
                for action in stage["action"]
                if "S3Bucket" in action.get("configuration", {})
            )
    for function in resources.get("aws_lambda_function", {}).values():
        readable = function.get("environment", {}).get("variables", {}).get("READABLE", "")
        yield from (place.removeprefix("s3://").partition("/")[0] for place in readable.split())
