"""A build, as the CodeBuild API shows it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_constructs.local_aws.service import Params


@dataclass
class Build:
    """A build, with the state that BatchGetBuilds returns. Only its `BuildRun` changes it, under `lock`."""

    id: str
    arn: str
    number: int
    project: Params
    source: Params
    source_version: str
    environment: Params
    timeout_minutes: int
    log_group: str
    log_stream: str
    started: datetime
    status: str = "IN_PROGRESS"
    phases: list[Params] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    ended: datetime | None = None
    stop_asked: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def project_name(self) -> str:
        """The project's name."""
        return str(self.project["name"])

    def described(self) -> Params:
        """The build as a member of API responses."""
        with self.lock:
            answer: Params = {
                "id": self.id,
                "arn": self.arn,
                "buildNumber": self.number,
                "projectName": self.project_name,
                "startTime": self.started,
                "currentPhase": self.phases[-1]["phaseType"] if self.phases else "SUBMITTED",
                "buildStatus": self.status,
                "buildComplete": self.ended is not None,
                "phases": [dict(phase) for phase in self.phases],
                "source": self.source,
                "environment": self.environment,
                "serviceRole": self.project["serviceRole"],
                "timeoutInMinutes": self.timeout_minutes,
                "initiator": "local-aws",
                "logs": {"groupName": self.log_group, "streamName": self.log_stream},
                "exportedEnvironmentVariables": [
                    {"name": name, "value": value} for name, value in self.exported.items()
                ],
            }
            if self.source_version:
                answer["sourceVersion"] = answer["resolvedSourceVersion"] = self.source_version
            if self.ended is not None:
                answer["endTime"] = self.ended
            return answer
