"""One training job: its request and its state."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.running import Container

_STATUS_MESSAGE_CHARACTERS = 1024
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data and the training image",
    "Training": "Training image download completed. Training in progress.",
    "Interrupted": "Training job interrupted, as the capacity is needed elsewhere",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job exceeded MaxWaitTimeInSeconds provided",
    "Stopped": "Training job stopped",
    "Failed": "Training job failed",
}


@dataclass(eq=False)
class TrainingJob:
    """A training job: its request and its state. Each change of the state is emitted as an event."""

    account: Account
    request: Params
    arn: str
    created: datetime
    status: str = "InProgress"
    transitions: list[Params] = field(default_factory=list)
    result: Params = field(default_factory=dict)
    stop_asked: threading.Event = field(default_factory=threading.Event)
    interruption: threading.Event = field(default_factory=threading.Event)
    container: Container | None = None
    """The running container, which must end when the local AWS closes."""
    accepted: float = field(default_factory=time.monotonic)
    """When it was created, in real time: what a program takes is not shortened by a clock that is advanced."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._enter("Starting")

    @property
    def name(self) -> str:
        """TrainingJobName."""
        return str(self.request["TrainingJobName"])

    @property
    def instance_type(self) -> str:
        """ResourceConfig.InstanceType; empty when the request has none."""
        return str(self.request.get("ResourceConfig", {}).get("InstanceType", ""))

    @property
    def instance_count(self) -> int:
        """ResourceConfig.InstanceCount; 1 when the request has none."""
        return int(self.request.get("ResourceConfig", {}).get("InstanceCount", 1))

    @property
    def quota_use(self) -> str:
        """The use in the name of the quota for its instances."""
        return "spot training job" if self.request.get("EnableManagedSpotTraining") else "training job"

    @property
    def spot_interruption(self) -> Callable[[], None] | None:
        """What interrupts it; None for a job without managed spot training, which is never interrupted."""
        return self.interruption.set if self.request.get("EnableManagedSpotTraining") else None

    def move(self, secondary: str) -> None:
        """Change to a secondary status, unless the job is being stopped."""
        with self._lock:
            if self.status == "InProgress":
                self._enter(secondary)
        self._announce()

    def stop(self) -> None:
        """Ask the job to stop. Raises ValidationException when it is not running."""
        with self._lock:
            if self.status != "InProgress":
                message = f"The request was rejected because the training job is in status {self.status}."
                raise AwsError("ValidationException", message)
            self.status = "Stopping"
            self._enter("Stopping")
        self.stop_asked.set()
        self._announce()

    def finish(self, status: str, secondary: str, result: Params) -> None:
        """Set the job's final status."""
        reason = result.get("FailureReason", "")
        with self._lock:
            self.result.update(result)
            self._enter(secondary, reason[:_STATUS_MESSAGE_CHARACTERS])
            self.status = status
        self.account.log(f"training job {self.name}: {status}" + (f" ({reason})" if reason else ""))
        self._announce()

    def described(self) -> Params:
        """The response of DescribeTrainingJob."""
        with self._lock:
            request = {name: value for name, value in self.request.items() if name != "Tags"}
            return {
                **request,
                **self.summary(),
                "SecondaryStatusTransitions": [dict(entry) for entry in self.transitions],
                **self.result,
            }

    def summary(self) -> Params:
        """The job in ListTrainingJobs."""
        with self._lock:
            last = self.transitions[-1]
            return {
                "TrainingJobName": self.name,
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": last["Status"],
                "CreationTime": self.created,
                "LastModifiedTime": last["StartTime"],
            }

    def _enter(self, secondary: str, message: str = "") -> None:
        now = utc_now()
        if self.transitions:
            self.transitions[-1]["EndTime"] = now
        entry = {"Status": secondary, "StartTime": now, "StatusMessage": message or _MESSAGES[secondary]}
        self.transitions.append(entry)

    def _announce(self) -> None:
        with self._lock:
            detail = {
                "TrainingJobName": self.name,
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": self.transitions[-1]["Status"],
                "FailureReason": self.result.get("FailureReason", ""),
            }
        self.account.emit(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Training Job State Change",
                "resources": [self.arn],
                "detail": detail,
            }
        )
