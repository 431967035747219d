"""The result of a job that is over: its model, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.console import log_link
from handler_kit.errors import StepError
from handler_kit.report import Success
from handler_kit.training_jobs import TrainingJobs, TuningJobs, read_training_job, searched, source_of

if TYPE_CHECKING:
    from handler_kit.sagemaker_jobs import FoundJob


def result(job: FoundJob, jobs: TrainingJobs) -> Success:
    """The outputs of a job that is over. Raises StepError with SageMaker's reason when it produced no model."""
    if isinstance(jobs, TuningJobs):
        return _best(job, jobs)
    if not job.has_result:
        raise jobs.failure(job)
    return _trained(job, f"Training job {job.name} completed")


def _best(job: FoundJob, jobs: TuningJobs) -> Success:
    if not job.has_result:
        reason = _no_best(job) if searched(job.description) else str(jobs.failure(job))
        raise StepError(f"{reason}{_first_reason(job, jobs.sagemaker)}", external_id=job.name)
    best = job.description["BestTrainingJob"]
    trained = read_training_job(jobs.sagemaker, best["TrainingJobName"])
    if not trained.has_result:
        raise StepError(
            f"The best training job of tuning job {job.name}, {trained.name}, is {trained.status} and has no model."
            f" {trained.reason}",
            external_id=log_link(trained.arn, TrainingJobs.log_group),
        )
    return _trained(trained, f"Tuning job {job.name}: the best training job is {trained.name}, {_objective(best)}")


def _trained(job: FoundJob, summary: str) -> Success:
    description = job.description
    outputs = {
        "JobName": job.name,
        "JobArn": job.arn,
        "Image": description["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": description["ModelArtifacts"]["S3ModelArtifacts"],
    }
    source = source_of(description)
    if source is not None:
        outputs["SourceSha256"] = source
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


def _no_best(job: FoundJob) -> str:
    config = job.description["HyperParameterTuningJobConfig"]
    metric = config.get("HyperParameterTuningJobObjective", {}).get("MetricName", "the objective metric")
    counts = job.description["TrainingJobStatusCounters"]
    counted = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count) or "none was started"
    return (
        f"Tuning job {job.name} has no best training job: no training job completed and printed {metric} ({counted})."
    )


def _first_reason(job: FoundJob, sagemaker: Any) -> str:
    """SageMaker's reason for the first training job that failed; for the tuning job it says only that all failed."""
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job.name, StatusEquals="Failed"
    )
    for summary in listed["TrainingJobSummaries"]:
        if summary.get("FailureReason"):
            return f" {summary['TrainingJobName']}: {summary['FailureReason']}"
    return ""
