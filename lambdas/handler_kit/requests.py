"""What the requests for SageMaker jobs of all kinds have in common."""

from __future__ import annotations

from typing import Any

from handler_kit.instances import has_own_disks

# Environment variables that identify a job.
STARTED_BY = "MLOPS_PIPELINE_JOB_ID"
EXECUTION = "MLOPS_EXECUTION_ID"
CAPACITY_RETRIES = "MLOPS_CAPACITY_RETRIES"


def tags(values: dict[str, str]) -> list[dict[str, str]]:
    """Tags in the form that SageMaker expects."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def volume_key(key_arn: str | None, *instance_types: str) -> dict[str, str]:
    """The key of the volumes; empty when an instance type has its own disks, for which SageMaker refuses a key."""
    if not key_arn or any(has_own_disks(one) for one in instance_types):
        return {}
    return {"VolumeKmsKeyId": key_arn}


def output_key(key_arn: str | None) -> dict[str, str]:
    """The key that encrypts what the job writes to S3."""
    return {"KmsKeyId": key_arn} if key_arn else {}


def vpc(subnet_ids: str | None, security_group_ids: str | None) -> dict[str, Any]:
    """The VPC that the job runs in, from comma-separated IDs; empty without a VPC."""
    if not subnet_ids or not security_group_ids:
        return {}
    return {"VpcConfig": {"SecurityGroupIds": security_group_ids.split(","), "Subnets": subnet_ids.split(",")}}
