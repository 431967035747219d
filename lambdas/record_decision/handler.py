"""Lambda entry point of the action RecordApproval, and of the EventBridge rule for executions that end early."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from handler_kit.clients import client
from handler_kit.job import EVENT_KEY
from handler_kit.report import Continue, Success, pipeline_step
from record_decision.clear import clear
from record_decision.record import Services, record_approval, record_end
from record_decision.settings import Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job


def handler(event: dict[str, Any], context: object) -> None:
    """Record an approval (a CodePipeline job), or how an execution failed (an EventBridge event)."""
    if EVENT_KEY in event:
        _approval(event, context)
    else:
        settings = Settings.from_env()
        clients = (client("codepipeline"), client("sagemaker"), client("cloudformation"), client("s3"))
        record_end(event, settings, Services(*clients))


@pipeline_step
def _approval(job: Job) -> Success | Continue:
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    recorded = record_approval(params, settings, client("codepipeline"), client("sagemaker"))
    waits = clear(settings, client("cloudformation"), job.continuation_token, now=int(time.time()))
    return recorded if waits is None else waits
