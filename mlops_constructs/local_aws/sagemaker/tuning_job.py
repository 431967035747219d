"""One hyperparameter tuning job: its request, its training jobs and its state."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_constructs.local_aws.sagemaker.search import Chosen
    from mlops_constructs.local_aws.sagemaker.training_job import TrainingJob
    from mlops_constructs.local_aws.service import Params

OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
RUNNING = ("InProgress", "Stopping")


@dataclass
class TuningJob:
    """A tuning job: its request and its training jobs. Changed only under the lock of its `TuningJobs`."""

    request: Params
    arn: str
    created: datetime
    modified: datetime
    status: str = "InProgress"
    reason: str | None = None
    ended: datetime | None = None
    children: list[tuple[TrainingJob, Chosen]] = field(default_factory=list)
    stop_asked: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """HyperParameterTuningJobName."""
        return str(self.request["HyperParameterTuningJobName"])

    @property
    def config(self) -> Params:
        """HyperParameterTuningJobConfig."""
        config: Params = self.request["HyperParameterTuningJobConfig"]
        return config

    def best(self) -> Params | None:
        """The summary of the best training job so far."""
        done = [summary for summary in self.summaries() if "FinalHyperParameterTuningJobObjectiveMetric" in summary]
        sign = 1 if self.config["HyperParameterTuningJobObjective"]["Type"] == "Maximize" else -1
        return max(
            (summary for summary in done if summary["TrainingJobStatus"] in ("Completed", "Stopped")),
            key=lambda summary: sign * summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"],
            default=None,
        )

    def summaries(self) -> list[Params]:
        """One HyperParameterTrainingJobSummary for each training job, oldest first."""
        return [self._summary(child, chosen) for child, chosen in self.children]

    def described(self) -> Params:
        """The response of DescribeHyperParameterTuningJob."""
        request = {name: value for name, value in self.request.items() if name != "Tags"}
        objectives = Counter(summary["ObjectiveStatus"] for summary in self.summaries())
        best = self.best()
        return {
            **request,
            "HyperParameterTuningJobArn": self.arn,
            "HyperParameterTuningJobStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            "TrainingJobStatusCounters": self._counters(),
            "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
            **({} if best is None else {"BestTrainingJob": best}),
            **({} if self.ended is None else {"HyperParameterTuningEndTime": self.ended}),
            **({} if self.reason is None else {"FailureReason": self.reason}),
        }

    def summary(self) -> Params:
        """The job in ListHyperParameterTuningJobs."""
        described = self.described()
        members = (
            *("HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus"),
            *("CreationTime", "LastModifiedTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters"),
        )
        return {**{name: described[name] for name in members}, "Strategy": self.config["Strategy"]}

    def _counters(self) -> dict[str, int]:
        counted = Counter(child.status for child, _ in self.children)
        return {
            "Completed": counted["Completed"],
            "InProgress": counted["InProgress"] + counted["Stopping"],
            "RetryableError": 0,
            "NonRetryableError": counted["Failed"],
            "Stopped": counted["Stopped"],
        }

    def _summary(self, child: TrainingJob, chosen: Chosen) -> Params:
        described = child.described()
        objective = self.config["HyperParameterTuningJobObjective"]
        values = {found["MetricName"]: found["Value"] for found in described.get("FinalMetricDataList", [])}
        summary: Params = {
            "TrainingJobName": child.name,
            "TrainingJobArn": child.arn,
            "TrainingJobStatus": child.status,
            "CreationTime": child.created,
            "TunedHyperParameters": chosen,
            "ObjectiveStatus": "Pending" if child.status in RUNNING else "Failed",
            **{
                name: described[name]
                for name in ("TrainingStartTime", "TrainingEndTime", "FailureReason")
                if name in described
            },
        }
        if child.status not in RUNNING and objective["MetricName"] in values:
            summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
                **objective,
                "Value": values[objective["MetricName"]],
            }
            summary["ObjectiveStatus"] = "Succeeded"
        return summary


def child_request(job: TuningJob, chosen: Chosen) -> Params:
    """The CreateTrainingJob request for one choice of hyperparameters."""
    definition = dict(job.request["TrainingJobDefinition"])
    fixed = definition.pop("StaticHyperParameters", {})
    metric = job.config["HyperParameterTuningJobObjective"]["MetricName"]
    several = definition.pop("HyperParameterTuningResourceConfig", None)
    if several is not None:
        definition["ResourceConfig"] = _first_type(several)
    definition.pop("HyperParameterRanges", None)
    return {
        **definition,
        "HyperParameters": {**fixed, **chosen, OBJECTIVE_HYPERPARAMETER: metric},
        "Tags": job.request.get("Tags", []),
    }


def _first_type(several: Params) -> Params:
    config = several.get("InstanceConfigs", [several])[0]
    key = {"VolumeKmsKeyId": several["VolumeKmsKeyId"]} if "VolumeKmsKeyId" in several else {}
    return {**{name: config[name] for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB")}, **key}
