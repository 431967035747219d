"""Lambda entry point of the schedule, of `mlops drift`, and of the action Baseline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from handler_kit.clients import client
from handler_kit.job import EVENT_KEY
from handler_kit.report import Success, pipeline_step
from watch_traffic.looking import Aws, look
from watch_traffic.making import make_baseline
from watch_traffic.settings import Document, Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job

# Without a context there is no limit.
_A_YEAR_IN_SECONDS = 365 * 86_400.0


def handler(event: object, context: Any) -> dict[str, Any] | None:
    """Make the baseline of a candidate for a job of CodePipeline; for every other event, look at production.

    When an error is raised, what was counted is kept, and the next look counts the rest.
    """
    if isinstance(event, dict) and EVENT_KEY in event:
        _baseline(event, context)
        return None
    aws = Aws(client("s3"), client("cloudwatch"), client("sns"), client("lambda"))
    return look(Settings.from_env(), Document.read(), aws, now=time.time(), seconds_left=lambda: _seconds_left(context))


@pipeline_step
def _baseline(job: Job) -> Success:
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    return make_baseline(params, settings, Document.read(), client("s3"), client("sagemaker-runtime"))


def _seconds_left(context: Any) -> float:
    return _A_YEAR_IN_SECONDS if context is None else context.get_remaining_time_in_millis() / 1000.0
