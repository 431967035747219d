"""Lambda entry point of the action RecordApproval, and of the EventBridge rule for executions that end early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.clients import client
from handler_kit.job import EVENT_KEY
from handler_kit.report import Success, pipeline_step
from record_decision.record import record_approval, record_end
from record_decision.settings import Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job


def handler(event: dict[str, Any], context: object) -> None:
    """Record an approval (a CodePipeline job), or how an execution failed (an EventBridge event)."""
    if EVENT_KEY in event:
        _approval(event, context)
    else:
        settings = Settings.from_env()
        record_end(event, settings, client("codepipeline"), client("sagemaker"), client("cloudformation"))


@pipeline_step
def _approval(job: Job) -> Success:
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    return record_approval(params, settings, client("codepipeline"), client("sagemaker"))
