"""Logs of a deployed pipeline in CloudWatch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ..errors import MlopsError
from .clients import code_of, explained

if TYPE_CHECKING:
    from .pipeline import DeployedPipeline

PLACES = ("train", "evaluate", "dev", "production", "build", "functions")
# An execution's log is searched this long before now: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
_DAYS = 60
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, order=True)
class LogLine:
    """One line.

    Attributes:
        timestamp: Milliseconds since 1970.
        stream: Log stream.
        event_id: Its id in CloudWatch.
        message: Its text.
    """

    timestamp: int
    stream: str
    event_id: str
    message: str

    @property
    def time(self) -> str:
        """Its time, ISO 8601 in UTC."""
        return datetime.fromtimestamp(self.timestamp / 1000, timezone.utc).isoformat(timespec="milliseconds")


class LogReader:
    """Reads one log."""

    def __init__(self, pipeline: DeployedPipeline, place: str, execution_id: str | None = None) -> None:
        """Find the log.

        Args:
            pipeline: The pipeline.
            place: One of ``PLACES``.
            execution_id: The execution whose job is meant; None for the newest with such a job.

        Raises:
            MlopsError: when there is no such job.
        """
        self._client, self._place, self._name = pipeline.client("logs"), place, pipeline.name
        self._job = ""
        self._seen: set[str] = set()
        self._from_ms = 0
        if place in ("train", "evaluate"):
            kind, action = _JOBS[place]
            self._groups = [f"/aws/sagemaker/{kind}"]
            self._job = _job(pipeline, action, execution_id)
        elif place in ("dev", "production"):
            self._groups = [f"/aws/sagemaker/Endpoints/{pipeline.stacks[0 if place == 'dev' else -1]}"]
        elif place == "build":
            self._groups = [f"/aws/codebuild/{pipeline.name}-image"]
        else:
            self._groups = self._function_groups()

    def newest(self, count: int) -> list[LogLine]:
        """Return the newest lines, oldest first. Raises MlopsError when the log does not exist."""
        now = int(datetime.now(timezone.utc).timestamp() * 1000)
        # Most often the last hour is enough; a log of months is not read to its end.
        for span in (3_600_000, _DAY_MS, _DAYS * _DAY_MS):
            lines = self._read(now - span)
            if len(lines) >= count:
                break
        lines = lines[-count:]
        self._from_ms = lines[-1].timestamp if lines else now
        self._seen = {line.event_id for line in lines}
        return lines

    def more(self) -> list[LogLine]:
        """Return the lines that are new since the last call."""
        lines = [line for line in self._read(self._from_ms) if line.event_id not in self._seen]
        self._seen |= {line.event_id for line in lines}
        self._from_ms = max([self._from_ms, *(line.timestamp for line in lines)])
        return lines

    def _read(self, from_ms: int) -> list[LogLine]:
        # A tuning job's name begins with a part of the pipeline's.
        options = {"logStreamNamePrefix": self._name[:_NAME_START]} if self._job else {}
        found = [line for group in self._groups for line in self._of_group(group, from_ms, options)]
        return sorted(line for line in found if self._job in line.stream)

    def _of_group(self, group: str, from_ms: int, options: dict[str, str]) -> list[LogLine]:
        from botocore.exceptions import ClientError

        with explained(f"the log group {group} could not be read"):
            try:
                pages = list(
                    self._client.get_paginator("filter_log_events").paginate(
                        logGroupName=group, startTime=max(0, from_ms), **options
                    )
                )
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                raise MlopsError(f"{self._name} has no log of {self._place} yet ({group} does not exist)") from None
        return [
            LogLine(one["timestamp"], one["logStreamName"], one["eventId"], one["message"].rstrip("\n"))
            for page in pages
            for one in page["events"]
        ]

    def _function_groups(self) -> list[str]:
        prefix = f"/aws/lambda/{self._name}-"
        with explained(f"the log groups of {self._name} could not be listed"):
            pages = self._client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
            return [group["logGroupName"] for page in pages for group in page["logGroups"]]


# Place to the log group's last part, and the action that starts the job.
_JOBS = {"train": ("TrainingJobs", "Train"), "evaluate": ("ProcessingJobs", "RunEvaluation")}
# What the name of a job has of its execution's id, and of its pipeline's name at least.
_ID_DIGITS, _NAME_START = 12, 9


def _job(pipeline: DeployedPipeline, action: str, execution_id: str | None) -> str:
    """Return what the names of the execution's jobs contain."""
    executions = pipeline.executions
    ids = [execution_id] if execution_id else [one["pipelineExecutionId"] for one in executions.newest()]
    for one in ids:
        if any(execution.name == action for execution in executions.actions(one)):
            return str(one).replace("-", "")[:_ID_DIGITS]
    which = f"execution {execution_id}" if execution_id else "no execution"
    raise MlopsError(f"{which} of {pipeline.name} has {'not ' if execution_id else ''}reached the action {action}")
