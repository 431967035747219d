"""One object in the artifact bucket, uploaded by Terraform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..provider import s3_object

if TYPE_CHECKING:
    from constructs import Construct

    from .stores import Stores


def upload(
    scope: Construct,
    id_: str,
    *,
    stores: Stores,
    key: str,
    source: str | None = None,
    source_hash: str | None = None,
    content: str | None = None,
    content_type: str | None = None,
) -> s3_object.S3Object:
    """Upload a file or a text without any tags.

    The provider's ``default_tags`` are not applied to it: an S3 object can have 10 tags, resources of other services
    50, so more than 10 would make the apply fail.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html

    Args:
        scope: Construct it belongs to.
        id_: Construct id.
        stores: Where the artifact bucket is.
        key: Key of the object.
        source: File to upload.
        source_hash: A hash that changes when the file changes.
        content: Text to upload instead of a file.
        content_type: Media type of the text.
    """
    no_tags = s3_object.S3ObjectOverrideProviderDefaultTags(tags={})
    return s3_object.S3Object(
        scope,
        id_,
        bucket=stores.artifact_bucket,
        key=key,
        source=source,
        source_hash=source_hash,
        content=content,
        content_type=content_type,
        override_provider=s3_object.S3ObjectOverrideProvider(default_tags=no_tags),
    )
