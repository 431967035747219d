"""Lambda entry point of the action CheckDataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from check_dataset.check import Aws, check_dataset
from check_dataset.deleted import Looks, check_endpoint, check_made_by_terraform
from check_dataset.fleet import check_fleets, check_slots
from check_dataset.limits import check_limits
from check_dataset.settings import Document, Params, Settings
from handler_kit.asked import asked_of_endpoints
from handler_kit.clients import client
from handler_kit.production import find_stack
from handler_kit.releases import Releases
from handler_kit.report import Success, pipeline_step
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success:
    """Check and pin the data set that started this execution."""
    params, settings, limits = Params.from_json(job.parameters), Settings.from_env(), Document.read()
    cloudformation = client("cloudformation")
    stack = find_stack(cloudformation, settings.production_stack)
    # It fails here, before training costs anything and before a person is asked for approval.
    if stack is not None:
        stack.check()
        if not limits.ab_test:
            check_slots(stack)
    looks = Looks(client("sagemaker"), client("application-autoscaling"), client("iam"), client("sns"))
    check_made_by_terraform(settings.role_arns.split(), settings.topic_arn, looks)
    dev = None if settings.dev_stack is None else find_stack(cloudformation, settings.dev_stack)
    for one in (stack, dev):
        check_endpoint(one, settings.pipeline, looks)
    releases = Releases(client("s3"), settings.artifact_bucket, settings.pipeline)
    released = releases.replay(params.release, "CheckDataset")
    if released is not None:
        request_uri = released.outputs.get("RequestUri", NONE)
        endpoints = asked_of_endpoints(request_uri, client("s3"))
        place = f"Release {params.release}"
        check_limits({"training": {}, "endpoints": endpoints}, limits, settings.fleets, place)
        check_fleets(endpoints, settings.fleets, stack)
        return released
    aws = Aws(client("s3"), client("ssm"), client("codepipeline"))
    return check_dataset(params, settings, limits, aws, stack)
