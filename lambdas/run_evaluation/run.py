"""One execution's evaluation: its processing job, and the location of the report when the job is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.clients import client
from handler_kit.executions import Execution
from handler_kit.job_run import JobRun
from handler_kit.processing_jobs import ProcessingJobs
from handler_kit.report import Continue, Success
from run_evaluation.request import REPORT, processing_request, report_folder

if TYPE_CHECKING:
    from handler_kit.job import Job
    from run_evaluation.settings import Document, Params, Settings


def run(
    job: Job, params: Params, settings: Settings, document: Document, sagemaker: Any, *, now: int
) -> Success | Continue:
    """Start the evaluation, or check it. Raises StepError with the program's or SageMaker's reason when it failed."""
    jobs = ProcessingJobs(sagemaker, settings.job_prefix)
    found = JobRun(
        jobs,
        # The prefix of the jobs' names is the name of the pipeline.
        Execution(client("codepipeline"), settings.job_prefix, params.execution_id),
        started_by=job.id,
        request=lambda name, _: processing_request(name, params, settings, document, job.id),
    ).call(job.continuation_token, now=now)
    if isinstance(found, Continue):
        return found
    if not found.has_result:
        raise jobs.failure(found)
    uri = f"{report_folder(settings, found.name)}/{REPORT}"
    outputs = {"EvaluationUri": uri, "JobName": found.name, "JobArn": found.arn}
    return Success(outputs, summary=f"{jobs.noun} {found.name} completed", external_id=found.name)
