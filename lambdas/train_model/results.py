"""What a job that is over means for the execution: its model, or why there is none."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from handler_kit.errors import StepFailure
from handler_kit.report import Success
from handler_kit.training_jobs import FoundJob, TrainingJobs, TuningJobs

_CONSOLES = {"aws-us-gov": "console.amazonaws-us-gov.com", "aws-cn": "console.amazonaws.cn"}
# A search may end its best job early: what such a job has left is a model too.
_WITH_MODEL = frozenset({"Completed", "Stopped"})


def result(job: FoundJob, jobs: TrainingJobs) -> Success:
    """The outputs of a job that is over. Raises StepFailure with SageMaker's reason when it gave no model."""
    if not isinstance(jobs, TuningJobs):
        if job.status != "Completed":
            raise failure(job)
        return _trained(job, f"Training job {job.name} completed")
    if job.status != "Completed" and not _ran_out_of_time(job):
        told = failure(job, jobs.noun)
        raise StepFailure(f"{told}{_first_reason(job, jobs.sagemaker)}", external_id=told.external_id)
    best = job.description.get("BestTrainingJob")
    if best is None:
        raise StepFailure(_no_best(job, jobs.sagemaker), external_id=job.name)
    trained = TrainingJobs(jobs.sagemaker, jobs.prefix).read(best["TrainingJobName"])
    if trained.status not in _WITH_MODEL or "S3ModelArtifacts" not in trained.description.get("ModelArtifacts", {}):
        raise StepFailure(
            f"The best training job of tuning job {job.name}, {trained.name}, is {trained.status} and left no model."
            f" {trained.reason}",
            external_id=log_link(trained.arn),
        )
    return _trained(trained, f"Tuning job {job.name}: the best training job is {trained.name}, {_objective(best)}")


def failure(job: FoundJob, noun: str = TrainingJobs.noun) -> StepFailure:
    """Why a job gave no model, with the link to its log."""
    reason = job.reason or _why_stopped(job.secondary_status)
    text = f"{noun} {job.name} ended as {job.status}: {reason}"
    if noun != TrainingJobs.noun:
        return StepFailure(text, external_id=job.name)
    link = log_link(job.arn)
    return StepFailure(f"{text} Logs: {link}", external_id=link)


def log_link(job_arn: str) -> str:
    """The console page with the log of a training job."""
    _, partition, _, region, _, resource = job_arn.split(":", 5)
    console = _CONSOLES.get(partition, "console.aws.amazon.com")
    # The console wants its fragment quoted twice, with $ in the place of %.
    group = _console_quote("/aws/sagemaker/TrainingJobs")
    stream = _console_quote(f"{resource.partition('/')[2]}/")
    return (
        f"https://{console}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{group}$3FlogStreamNameFilter$3D{stream}"
    )


def _trained(job: FoundJob, summary: str) -> Success:
    description = job.description
    outputs = {
        "JobName": job.name,
        "JobArn": job.arn,
        "Image": description["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": description["ModelArtifacts"]["S3ModelArtifacts"],
    }
    seconds = description.get("TrainingTimeInSeconds")
    took = "" if seconds is None else f" in {seconds} s"
    billed = description.get("BillableTimeInSeconds")
    if description.get("EnableManagedSpotTraining") and billed is not None:
        took += f", {billed} s billed"
    return Success(outputs, summary=f"{summary}{took}", external_id=job.name)


def _objective(best: dict[str, Any]) -> str:
    metric = best.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    tuned = ", ".join(f"{name}={value}" for name, value in sorted(best["TunedHyperParameters"].items()))
    return f"{metric.get('MetricName', 'metric')}={metric.get('Value', 'unknown')} with {tuned}"


def _ran_out_of_time(job: FoundJob) -> bool:
    """Whether a search was stopped by its own limit: what it found until then is its result."""
    limit = job.description["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxRuntimeInSeconds")
    ended = job.description.get("HyperParameterTuningEndTime")
    if job.status != "Stopped" or limit is None or ended is None:
        return False
    return bool((ended - job.description["CreationTime"]).total_seconds() >= limit)


def _no_best(job: FoundJob, sagemaker: Any) -> str:
    config = job.description["HyperParameterTuningJobConfig"]
    metric = config.get("HyperParameterTuningJobObjective", {}).get("MetricName", "the objective metric")
    counts = job.description["TrainingJobStatusCounters"]
    counted = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count) or "none was started"
    return (
        f"Tuning job {job.name} has no best training job: no training job completed and printed {metric}"
        f" ({counted}).{_first_reason(job, sagemaker)}"
    )


def _first_reason(job: FoundJob, sagemaker: Any) -> str:
    """What SageMaker says of the first training job that failed: of the search it says only that all have."""
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=job.name)
    for summary in listed["TrainingJobSummaries"]:
        if summary.get("FailureReason"):
            return f" {summary['TrainingJobName']}: {summary['FailureReason']}"
    return ""


def _why_stopped(secondary_status: str) -> str:
    if secondary_status == "MaxRuntimeExceeded":
        return f"it ran longer than allowed ({secondary_status}); raise max_runtime_seconds."
    if secondary_status == "MaxWaitTimeExceeded":
        return f"it waited and ran longer than allowed ({secondary_status}); raise spot.max_wait_seconds."
    return f"SageMaker gives no reason (secondary status {secondary_status or 'unknown'})."


def _console_quote(text: str) -> str:
    return quote(quote(text, safe=""), safe="").replace("%", "$")
