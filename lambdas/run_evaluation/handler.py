"""Lambda entry point of the action RunEvaluation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from handler_kit.clients import client
from handler_kit.releases import Releases
from handler_kit.report import Continue, Success, pipeline_step
from run_evaluation.run import run
from run_evaluation.settings import Document, Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success | Continue:
    """Start the processing job on the first invocation; check it on every later invocation."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    releases = Releases(client("s3"), settings.artifact_bucket, settings.job_prefix)
    released = releases.replay(params.release, "RunEvaluation")
    if released is not None:
        return released
    return run(job, params, settings, Document.read(), client("sagemaker"), now=int(time.time()))
