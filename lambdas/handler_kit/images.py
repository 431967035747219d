"""The image by digest, so that training and serving use the same image even if its tag moves meanwhile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import PERMISSION_CODES, ConfigurationError, error_code

if TYPE_CHECKING:
    from collections.abc import Callable

_BY_TAG = re.compile(
    r"(?P<repository_uri>(?P<account>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/(?P<repository>[a-z0-9._/-]+))"
    r":(?P<tag>[\w.-]+)"
)


_BY_DIGEST = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/(?P<repository>[a-z0-9._/-]+)"
    r"@(?P<digest>sha256:[0-9a-f]{64})"
)


def parts(image: str) -> dict[str, str] | None:
    """``account``, ``repository`` and ``digest`` of an image in ECR; ``None`` for any other image."""
    found = _BY_DIGEST.fullmatch(image)
    return None if found is None else found.groupdict()


def pin(image: str, ecr: Callable[[], Any]) -> str:
    """The image with the digest of its tag; unchanged when it has a digest already, or when the registry denies access.

    It uses the same ECR action as pulling an image, so permission to pull from another account's repository is enough.
    Raises ConfigurationError when the image does not exist.
    """
    found = _BY_TAG.fullmatch(image)
    if found is None:
        return image
    try:
        answer = ecr().batch_get_image(
            registryId=found["account"],
            repositoryName=found["repository"],
            imageIds=[{"imageTag": found["tag"]}],
        )
    except ClientError as error:
        if error_code(error) == "RepositoryNotFoundException":
            raise _missing(image) from error
        if error_code(error) not in PERMISSION_CODES:
            raise
        logs.info("tag not resolved, training uses the tag", image=image, reason=str(error))
        return image
    if not answer["images"]:
        raise _missing(image)
    return f"{found['repository_uri']}@{answer['images'][0]['imageId']['imageDigest']}"


def _missing(image: str) -> ConfigurationError:
    return ConfigurationError(f"There is no image {image}. Push it, or correct the algorithm's image.")
