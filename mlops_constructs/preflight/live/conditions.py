"""Which condition key CreateTrainingJob has for the KMS key of its volumes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .verdict import refusal

if TYPE_CHECKING:
    from .room import Room
    from .verdict import Verdicts

_ACTION = "sagemaker:CreateTrainingJob"
_DENIED = f"not authorized to perform: {_ACTION}"
_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 2.0
_OLD, _NEW = "sagemaker:VolumeKmsKey", "sagemaker:VolumeKmsKeyArn"


def training_carries_the_old_key(room: Room) -> Verdicts:
    """Request a job that cannot start, as a role that may create one only with a certain KMS key for its volumes.

    The key and the image do not exist, so that a request that IAM allows fails at once.
    """
    key = room.arn("kms", "key/00000000-0000-0000-0000-000000000000")
    role = room.role("trainer", [room.account, {"Service": "sagemaker.amazonaws.com"}], [_allowed(_OLD, key)])
    old = _train(room, "old", role, key)
    room.allow("trainer", [_allowed(_NEW, key)])
    new = _train(room, "new", role, key)
    carried = [name for name, problem in ((_OLD, old), (_NEW, new)) if _DENIED not in problem]
    if not carried:
        return "undecided", f"the call is denied with {_OLD} and with {_NEW}: {new}"
    return ("yes" if _OLD in carried else "no"), f"IAM allows the call with {' and with '.join(carried)}"


def _allowed(condition_key: str, key: str) -> dict[str, Any]:
    return {"Action": _ACTION, "Resource": "*", "Condition": {"ArnEquals": {condition_key: key}}}


def _train(room: Room, kind: str, role: str, key: str) -> str:
    """Send the request; return the refusal. A job that was created anyway is stopped."""
    identity, name, own = room.identity, room.name(kind), room.client("sagemaker")
    bucket = f"s3://{room.name('nowhere')}/"
    registry = f"{identity.account_id}.dkr.ecr.{identity.region}.amazonaws.com"
    request = {
        "TrainingJobName": name,
        "RoleArn": role,
        "AlgorithmSpecification": {"TrainingImage": f"{registry}/{name}:none", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": bucket},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
            "VolumeKmsKeyId": key,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }

    def make() -> None:
        room.client("sagemaker", role).create_training_job(**request)
        room.on_leave(f"training job {name}", lambda: _remove(own, name))

    return refusal(make)


def _remove(sagemaker: Any, name: str) -> None:
    """Delete a job that was created anyway; only a job that has ended can be deleted."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        status = sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
        if status not in ("InProgress", "Stopping"):
            break
        if status == "InProgress":
            refusal(lambda: sagemaker.stop_training_job(TrainingJobName=name))
        time.sleep(_POLL_SECONDS)
    sagemaker.delete_training_job(TrainingJobName=name)
