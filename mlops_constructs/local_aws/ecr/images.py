"""Pushes images built on this machine to the ECR of the local AWS, and pulls them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.containers.images import MANIFEST_TYPE, ContainerError, Image, ImageStore, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.account import Account

_URI = re.compile(
    r"(?P<registry>\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?)/(?P<repository>[a-z0-9._/-]+)"
    r"(:(?P<tag>[\w][\w.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True)
class ImageUri:
    """The parts of `<account>.dkr.ecr.<region>.amazonaws.com/<repository>[:tag][@digest]`."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, uri: str) -> ImageUri:
        """Parse an image URI. Raises `ContainerError` when it is not the URI of an image in ECR."""
        match = _URI.fullmatch(uri)
        if match is None:
            raise ContainerError(
                f"{uri!r} is not an image in ECR; the local AWS runs only images that its own builds have pushed, "
                "and images that a local folder stands in for"
            )
        return cls(match["registry"], match["repository"], match["tag"], match["digest"])

    @property
    def account(self) -> str:
        """The account whose registry it is."""
        return self.registry.partition(".")[0]

    @property
    def image_id(self) -> dict[str, str]:
        """The image as the ECR API identifies it; a digest takes precedence over a tag."""
        if self.digest is not None:
            return {"imageDigest": self.digest}
        return {"imageTag": "latest" if self.tag is None else self.tag}


@dataclass(frozen=True, slots=True)
class PulledImage:
    """An image, and its URI with the digest to which its tag was resolved."""

    image: Image
    resolved_uri: str


def push(account: Account, image: Image, uri: ImageUri, credentials: Mapping[str, Any]) -> str:
    """Put an image's manifest into ECR and return the registry's digest. Raises ClientError as ECR does."""
    manifest = image.manifest()
    digest = digest_of(manifest)
    account.client("ecr", credentials).put_image(
        repositoryName=uri.repository,
        imageManifest=manifest,
        imageManifestMediaType=MANIFEST_TYPE,
        imageDigest=digest,
        imageTag="latest" if uri.tag is None else uri.tag,
    )
    return digest


def pull(account: Account, images: ImageStore, uri: str, credentials: Mapping[str, Any] | None) -> PulledImage:
    """The local image with a URI. Raises `ContainerError` with the reason when there is none."""
    parsed = ImageUri.parse(uri)
    try:
        answer = account.client("ecr", credentials).batch_get_image(
            registryId=parsed.account, repositoryName=parsed.repository, imageIds=[parsed.image_id]
        )
    except ClientError as error:
        raise ContainerError(f"cannot pull {uri}: {error.response['Error']['Message']}") from error
    if not answer["images"]:
        raise ContainerError(f"cannot pull {uri}: the repository does not contain this image")
    found = answer["images"][0]
    image = images.get(json.loads(found["imageManifest"]).get("config", {}).get("digest", ""))
    if image is None:
        raise ContainerError(f"cannot run {uri}: it was not built by this local AWS")
    digest = found["imageId"]["imageDigest"]
    return PulledImage(image, f"{parsed.registry}/{parsed.repository}@{digest}")
