"""Lambda entry point of the action AwaitDev, and of the EventBridge rules for decisions and ends of executions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from handler_kit.clients import client
from handler_kit.job import EVENT_KEY
from handler_kit.report import Continue, Success, pipeline_step
from retire_dev.retire import await_dev, retire
from retire_dev.settings import Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job


def handler(event: dict[str, Any], context: object) -> None:
    """Wait until DEV is free (a CodePipeline job), or delete it (an EventBridge event)."""
    if EVENT_KEY in event:
        _await(event, context)
    else:
        retire(event, Settings.from_env(), client("codepipeline"), client("cloudformation"), pause=time.sleep)


@pipeline_step
def _await(job: Job) -> Success | Continue:
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    return await_dev(params, settings, client("cloudformation"), job.continuation_token, now=int(time.time()))
