"""Lambda entry point of the action Register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handler_kit.asked import asked_of_endpoints
from handler_kit.clients import artifact_client, client
from handler_kit.errors import StepError, as_step_failure
from handler_kit.report import Success, pipeline_step
from handler_kit.settings import NONE
from register_model.register import Services, register
from register_model.release import ARTIFACT, remember, upload
from register_model.settings import Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success:
    """Register the model, then store the release for the deployments."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    location = job.output_artifact(ARTIFACT)
    if job.credentials is None:
        raise StepError("The CodePipeline job has no artifact credentials, so the release cannot be stored.")
    s3 = client("s3")
    release = register(params, settings, Services(client("sagemaker"), client("ecr"), s3))
    try:
        requested = asked_of_endpoints(params.request_uri, s3)
        upload(release, settings, requested, location, artifact_client(job.credentials), job.encryption_key_id)
        if params.release == NONE:
            remember(release, settings, s3)
    except ClientError as error:
        failure = as_step_failure(error)
        # With it, RecordDecision and people can find the package although the action failed.
        failure.external_id = release.model_package_arn
        raise failure from error
    return Success(
        {
            "ModelPackageArn": release.model_package_arn,
            "Metrics": release.metrics_text,
            "Image": release.image,
        },
        summary=f"{release.model_package_arn}: {release.metrics_text}",
        external_id=release.model_package_arn,
    )
