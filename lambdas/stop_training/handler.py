"""Lambda entry point of the EventBridge rule for executions that have ended without success.

It finds the job of the execution that is still running, and stops exactly this job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit import logs
from handler_kit.clients import client
from handler_kit.executions import Execution
from handler_kit.settings import SettingsBase
from handler_kit.training_jobs import jobs_of


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: The only pipeline whose executions count.
        job_kind: ``training`` or ``tuning``.
        job_prefix: Jobs are named ``<job_prefix>-<12 hex digits of the execution>``.
    """

    pipeline: str
    job_kind: str
    job_prefix: str


def handler(event: dict[str, Any], context: object) -> None:
    """Stop the job that is still running; when an error is raised, Lambda delivers the event again."""
    stop_training(event, Settings.from_env(), client("codepipeline"), client("sagemaker"))


def stop_training(event: dict[str, Any], settings: Settings, codepipeline: Any, sagemaker: Any) -> None:
    """Stop the job of the event's execution, unless the execution has continued meanwhile.

    Raises ValueError when the event is about another pipeline, ClientError when SageMaker returns an error.
    """
    execution_id = _execution(event, settings)
    status = Execution(codepipeline, settings.pipeline, execution_id).status()
    if Execution.keeps_its_jobs(status):
        # A person has retried the stage meanwhile, and the job belongs to that attempt.
        logs.info("execution continues, nothing is stopped", execution=execution_id, status=status)
        return
    jobs = jobs_of(settings.job_kind, sagemaker, settings.job_prefix)
    for job in jobs.of_execution(execution_id):
        if job.can_be_stopped:
            jobs.end(job.name)


def _execution(event: dict[str, Any], settings: Settings) -> str:
    detail = event.get("detail")
    if not isinstance(detail, dict) or not {"pipeline", "execution-id", "state"} <= detail.keys():
        raise ValueError("The event is not a change of a pipeline execution's state.")
    if detail["pipeline"] != settings.pipeline:
        raise ValueError(
            f"The event is about pipeline {detail['pipeline']}, not {settings.pipeline}. Check the rule's pattern."
        )
    return str(detail["execution-id"])
