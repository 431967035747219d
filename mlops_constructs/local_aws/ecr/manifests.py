"""The manifest of an image in the account's registry, before a service pulls the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.containers.images import MANIFEST_TYPE, ContainerError
from mlops_constructs.local_aws.ecr.images import ImageUri

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


def is_missing(account: Account, image: str) -> bool:
    """Whether an image in the account's own registry does not exist; False for images in other registries."""
    uri = _own(account, image)
    return uri is not None and _details(account, uri) is None


def refused_manifest(account: Account, image: str) -> str | None:
    """Why SageMaker rejects the image's manifest, if it does: it supports Docker manifests only, not OCI manifests."""
    uri = _own(account, image)
    details = None if uri is None else _details(account, uri)
    if details is None:
        return None
    media_type = details.get("imageManifestMediaType", MANIFEST_TYPE)
    return None if media_type == MANIFEST_TYPE else f"Unsupported manifest media type {media_type} for image {image}."


def _own(account: Account, image: str) -> ImageUri | None:
    try:
        uri = ImageUri.parse(image)
    except ContainerError:
        return None
    return uri if uri.account == account.account_id else None


def _details(account: Account, uri: ImageUri) -> dict[str, Any] | None:
    try:
        answer = account.client("ecr").batch_get_image(
            repositoryName=uri.repository, imageIds=[uri.image_id], registryId=uri.account
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryNotFoundException":
            raise
        return None
    details: dict[str, Any] | None = next(iter(answer["images"]), None)
    return details
