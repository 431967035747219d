"""One transform job: its request and its state."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.running import Container


@dataclass(eq=False)
class TransformJob:
    """A transform job: its request and its state. Each change of the status is emitted as an event."""

    account: Account
    request: Params
    arn: str
    created: datetime
    status: str = "InProgress"
    result: Params = field(default_factory=dict)
    stop_asked: threading.Event = field(default_factory=threading.Event)
    container: Container | None = None
    """The running container, which must end when the local AWS closes."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def name(self) -> str:
        """TransformJobName."""
        return str(self.request["TransformJobName"])

    @property
    def instance_type(self) -> str:
        """TransformResources.InstanceType."""
        return str(self.request["TransformResources"]["InstanceType"])

    @property
    def instance_count(self) -> int:
        """TransformResources.InstanceCount."""
        return int(self.request["TransformResources"]["InstanceCount"])

    @property
    def is_running(self) -> bool:
        """Whether it has instances."""
        return self.status in ("InProgress", "Stopping")

    def start(self) -> None:
        """Note that the instances run."""
        with self._lock:
            self.result["TransformStartTime"] = utc_now()
        self.announce()

    def stop(self) -> None:
        """Ask the job to stop. Raises ValidationException when it is not running."""
        with self._lock:
            if self.status != "InProgress":
                message = f"The request was rejected because the transform job is in status {self.status}."
                raise AwsError("ValidationException", message)
            self.status = "Stopping"
        self.stop_asked.set()
        self.announce()

    def finish(self, status: str, reason: str = "") -> None:
        """Set the job's final status."""
        with self._lock:
            self.result["TransformEndTime"] = utc_now()
            if reason:
                self.result["FailureReason"] = reason
            self.status = status
        self.account.log(f"transform job {self.name}: {status}" + (f" ({reason})" if reason else ""))
        self.announce()

    def summary(self) -> Params:
        """The job in ListTransformJobs."""
        with self._lock:
            known: Params = {
                name: self.result[name] for name in ("TransformEndTime", "FailureReason") if name in self.result
            }
            return {
                "TransformJobName": self.name,
                "TransformJobArn": self.arn,
                "CreationTime": self.created,
                "LastModifiedTime": self.result.get("TransformEndTime", self.created),
                "TransformJobStatus": self.status,
                **known,
            }

    def described(self) -> Params:
        """The response of DescribeTransformJob."""
        with self._lock:
            request = {name: value for name, value in self.request.items() if name != "Tags"}
            summary = {name: value for name, value in self.summary().items() if name != "LastModifiedTime"}
            return {**request, **summary, **self.result}

    def announce(self) -> None:
        """Emit the event of the status.

        https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
        """
        described = self.described()
        detail = {
            name: int(value.timestamp() * 1000) if isinstance(value, datetime) else value
            for name, value in described.items()
        }
        self.account.emit(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Transform Job State Change",
                "resources": [self.arn],
                "detail": detail,
            }
        )
