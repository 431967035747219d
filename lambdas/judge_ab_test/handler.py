"""Lambda entry point of the schedule, and of `mlops ab status`, which invokes the same function."""

from __future__ import annotations

import time
from typing import Any

from handler_kit.clients import client
from judge_ab_test.looking import Aws, look_at_test
from judge_ab_test.settings import Settings

# Without a context there is no limit.
_A_YEAR_IN_SECONDS = 365 * 86_400.0


def handler(event: object, context: Any) -> dict[str, Any]:
    """Look at the test that runs, and return the report; the payload is ignored.

    When an error is raised, nothing was counted, and the next look counts it.
    """
    aws = Aws(client("s3"), client("sagemaker"), client("cloudwatch"), client("lambda"))
    return look_at_test(Settings.from_env(), aws, now=time.time(), seconds_left=lambda: _seconds_left(context))


def _seconds_left(context: Any) -> float:
    return _A_YEAR_IN_SECONDS if context is None else context.get_remaining_time_in_millis() / 1000.0
