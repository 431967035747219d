"""Lambda entry point of the actions SmokeTest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from handler_kit.clients import client
from handler_kit.report import Continue, Success, pipeline_step
from smoke_test.settings import Params, Settings
from smoke_test.smoke import SmokeTest

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success | Continue:
    """Test the endpoint, or request another invocation while the endpoint is changing."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    test = SmokeTest(params, settings, client("sagemaker"), client("sagemaker-runtime"), client("s3"))
    return test.run(job.continuation_token, now=int(time.time()))
