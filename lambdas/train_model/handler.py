"""Lambda entry point of the action Train, and of StartTraining when an event reports the end of the job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from handler_kit.clients import client
from handler_kit.releases import Releases
from handler_kit.report import Continue, Success, pipeline_step
from train_model.cost import check_cost
from train_model.overrides import with_overrides
from train_model.settings import Document, Params, Settings
from train_model.train import Trainer

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success | Continue:
    """Start the job, or read it, on the first invocation; check it on every later invocation."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    releases = Releases(client("s3"), settings.artifact_bucket, settings.pipeline)
    released = releases.replay(params.release, "Train")
    if released is not None:
        return released
    document = with_overrides(Document.read(), params.request_uri, client("s3"))
    check_cost(document)
    trainer = Trainer(params, settings, document, client("sagemaker"), client("ssm"), job.id)
    return trainer.call(job.continuation_token, now=int(time.time()))
