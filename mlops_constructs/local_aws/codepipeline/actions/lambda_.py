"""The Lambda action: invokes a function with a job, again and again until the function reports that it is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mlops_constructs.local_aws.codepipeline.state import ActionFailedError, Artifact, Job

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codepipeline.context import ActionContext

JOB_TIMEOUT_SECONDS = 20 * 60
ACTION_TIMEOUT_SECONDS = 24 * 60 * 60
CONTINUATION_DELAY_SECONDS = 0.5  # AWS waits longer; a local pipeline has no reason to


def run(context: ActionContext) -> dict[str, str]:
    """Create jobs until the function reports one as succeeded without a continuation token."""
    deadline = context.account.clock.now() + ACTION_TIMEOUT_SECONDS
    token = None
    while True:
        job = _handed_out(context, token)
        limit = min(JOB_TIMEOUT_SECONDS, deadline - context.account.clock.now())
        if not context.wait_until(job.is_done, limit):
            with context.changed:
                job.failed = True
            raise ActionFailedError("the Lambda function did not report a result in time")
        _show_details(context, job)
        if job.failed:
            raise ActionFailedError(job.failure_message, job.failure_code)
        if job.continuation_token is None:
            return job.output_variables
        token = job.continuation_token
        context.pause(CONTINUATION_DELAY_SECONDS)


def _handed_out(context: ActionContext, token: str | None) -> Job:
    function = context.setting("FunctionName")
    job_id = str(uuid4())
    data = _job_data(context, token)
    job = Job(job_id, data)
    with context.changed:
        context.jobs[job_id] = job
    event = {"CodePipeline.job": {"id": job_id, "accountId": context.account.account_id, "data": data}}
    context.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
    return job


def _job_data(context: ActionContext, token: str | None) -> dict[str, Any]:
    credentials = context.credentials
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": dict(context.run.configuration)},
        "inputArtifacts": [_artifact(artifact) for artifact in context.run.inputs],
        "outputArtifacts": [_artifact(artifact) for artifact in context.run.outputs],
        "artifactCredentials": {
            "accessKeyId": credentials["AccessKeyId"],
            "secretAccessKey": credentials["SecretAccessKey"],
            "sessionToken": credentials["SessionToken"],
            "expirationTime": int(credentials["Expiration"].timestamp() * 1000),
        },
    }
    if token is not None:
        data["continuationToken"] = token
    if context.store.key_arn is not None:
        data["encryptionKey"] = {"id": context.store.key_arn, "type": "KMS"}
    return data


def _artifact(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "revision": artifact.revision,
        "location": {
            "type": "S3",
            "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key},
        },
    }


def _show_details(context: ActionContext, job: Job) -> None:
    with context.changed:
        context.run.external_id = job.details.get("externalExecutionId", context.run.external_id)
        context.run.summary = job.details.get("summary", context.run.summary)
