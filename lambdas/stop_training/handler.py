"""Lambda entry point of the EventBridge rule for executions that have ended without success.

It finds the jobs of the execution that are still running, of every kind that an execution starts, and stops exactly
these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.clients import client
from handler_kit.executions import Execution
from handler_kit.processing_jobs import ProcessingJobs
from handler_kit.settings import SettingsBase
from handler_kit.training_jobs import jobs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handler_kit.sagemaker_jobs import Jobs


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: The only pipeline whose executions count.
        job_kind: ``training`` or ``tuning``.
        job_prefix: These jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
        evaluation_prefix: The same of its evaluation jobs; empty for a pipeline without an evaluation program.
    """

    pipeline: str
    job_kind: str
    job_prefix: str
    evaluation_prefix: str | None


def handler(event: dict[str, Any], context: object) -> None:
    """Stop the jobs that are still running; when an error is raised, Lambda delivers the event again."""
    stop_jobs(event, Settings.from_env(), client("codepipeline"), client("sagemaker"))


def stop_jobs(event: dict[str, Any], settings: Settings, codepipeline: Any, sagemaker: Any) -> None:
    """Stop the jobs of the event's execution, unless the execution has continued meanwhile.

    Raises ValueError when the event is about another pipeline, ClientError when SageMaker returns an error.
    """
    execution_id = _execution(event, settings)
    status = Execution(codepipeline, settings.pipeline, execution_id).status()
    if Execution.keeps_its_jobs(status):
        # A person has retried the stage meanwhile, and its job belongs to that attempt.
        logs.info("execution continues, nothing is stopped", execution=execution_id, status=status)
        return
    for jobs in _kinds(settings, sagemaker):
        for job in jobs.of_execution(execution_id):
            if job.can_be_stopped:
                jobs.end(job.name)


def _kinds(settings: Settings, sagemaker: Any) -> Iterator[Jobs]:
    """The jobs that executions of this pipeline start, one kind after the other."""
    yield jobs_of(settings.job_kind, sagemaker, settings.job_prefix)
    if settings.evaluation_prefix is not None:
        yield ProcessingJobs(sagemaker, settings.evaluation_prefix)


def _execution(event: dict[str, Any], settings: Settings) -> str:
    detail = event.get("detail")
    if not isinstance(detail, dict) or not {"pipeline", "execution-id", "state"} <= detail.keys():
        raise ValueError("The event is not a change of a pipeline execution's state.")
    if detail["pipeline"] != settings.pipeline:
        raise ValueError(
            f"The event is about pipeline {detail['pipeline']}, not {settings.pipeline}. Check the rule's pattern."
        )
    return str(detail["execution-id"])
