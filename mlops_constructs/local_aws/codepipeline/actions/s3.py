"""The S3 source: one version of one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.codepipeline.state import ActionFailedError, SourceRevision

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codepipeline.context import ActionContext

# https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
MAX_BYTES = 5_000_000_000


def run(context: ActionContext) -> dict[str, str]:
    """Copy the object unchanged to the artifact store."""
    s3 = context.client("s3")
    bucket, key = context.setting("S3Bucket"), _key(context)
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise ActionFailedError(f"the bucket {bucket} is not versioned", "ConfigurationError")
    wanted = context.execution.override(context.run.name, "S3_OBJECT_VERSION_ID")
    head = _head(s3, bucket, key, wanted)
    if head["ContentLength"] > MAX_BYTES:
        raise ActionFailedError(
            f"s3://{bucket}/{key} has {head['ContentLength']} bytes, and a source artifact at most {MAX_BYTES}",
            "ConfigurationError",
        )
    version_id, etag = head["VersionId"], head["ETag"].strip('"')
    for output in context.run.outputs:
        s3.copy_object(
            Bucket=output.bucket,
            Key=output.key,
            CopySource={"Bucket": bucket, "Key": key, "VersionId": version_id},
            **context.store.encryption,
        )
    summary = f"Amazon S3 version id: {version_id}"
    context.run.external_id, context.run.summary = version_id, summary
    artifact = context.run.outputs[0].name if context.run.outputs else ""
    with context.changed:
        context.execution.revisions.append(SourceRevision(context.run.name, version_id, summary, artifact))
    return {"BucketName": bucket, "ObjectKey": key, "VersionId": version_id, "ETag": etag}


def _key(context: ActionContext) -> str:
    override = context.execution.override(context.run.name, "S3_OBJECT_KEY")
    if override is None:
        return context.setting("S3ObjectKey")
    if context.run.configuration.get("AllowOverrideForS3ObjectKey", "false").lower() != "true":
        message = "the object key may not be overridden: AllowOverrideForS3ObjectKey is not true"
        raise ActionFailedError(message, "ConfigurationError")
    return override


def _head(s3: Any, bucket: str, key: str, version_id: str | None) -> dict[str, Any]:
    version = {} if version_id is None else {"VersionId": version_id}
    try:
        head: dict[str, Any] = s3.head_object(Bucket=bucket, Key=key, **version)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "405", "NoSuchKey", "NoSuchVersion", "400"):
            raise
        what = f"s3://{bucket}/{key}" if version_id is None else f"s3://{bucket}/{key}, version {version_id}"
        raise ActionFailedError(f"there is no object {what}", "ConfigurationError") from error
    return head
