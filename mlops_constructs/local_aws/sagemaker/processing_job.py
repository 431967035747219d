"""One processing job: its request and its state."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.running import Container


@dataclass(eq=False)
class ProcessingJob:
    """A processing job: its request and its state."""

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
        """ProcessingJobName."""
        return str(self.request["ProcessingJobName"])

    def stop(self) -> None:
        """Ask the job to stop. Raises ValidationException when it is not running."""
        with self._lock:
            if self.status != "InProgress":
                raise AwsError("ValidationException", f"The processing job is in status {self.status}.")
            self.status = "Stopping"
        self.stop_asked.set()

    def finish(self, status: str, result: Params) -> None:
        """Set the job's final status."""
        with self._lock:
            self.result.update(result)
            self.status = status
        reason = result.get("FailureReason")
        self.account.log(f"processing job {self.name}: {status}" + (f" ({reason})" if reason else ""))

    def summary(self) -> Params:
        """The job in ListProcessingJobs."""
        with self._lock:
            return {
                "ProcessingJobName": self.name,
                "ProcessingJobArn": self.arn,
                "CreationTime": self.created,
                "ProcessingJobStatus": self.status,
            }

    def described(self) -> Params:
        """The response of DescribeProcessingJob."""
        with self._lock:
            request = {name: value for name, value in self.request.items() if name != "Tags"}
            return {**request, **self.summary(), **self.result}
