"""Lambda entry point of the action RecordRelease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler_kit.clients import client
from handler_kit.report import Success, pipeline_step
from record_release.record import Services, record_release
from record_release.settings import Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success:
    """Write the record of this execution's release, once."""
    services = Services(client("codepipeline"), client("sagemaker"), client("s3"), client("cloudwatch"))
    return record_release(Params.from_json(job.parameters), Settings.from_env(), services)
