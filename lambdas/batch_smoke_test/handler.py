"""Lambda entry point of the action BatchSmokeTest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from batch_smoke_test.settings import Document, Params, Settings
from batch_smoke_test.smoke import BatchSmokeTest, Services
from handler_kit.clients import client
from handler_kit.report import Continue, Success, pipeline_step

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success | Continue:
    """Start the transform job on the first invocation; check it on every later invocation."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    services = Services(client("sagemaker"), client("s3"), client("codepipeline"), client("logs"))
    return BatchSmokeTest(params, settings, Document.read(), services).run(job, now=int(time.time()))
