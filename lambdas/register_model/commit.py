"""The commit that an image was built from: the build tags the image with the commit ID."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import PERMISSION_CODES, error_code

UNKNOWN = "unknown"

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+)"
    r"(?::(?P<tag>[\w.\-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NOT_OURS = PERMISSION_CODES | {"RepositoryNotFoundException", "ImageNotFoundException", "InvalidParameterException"}


def commit_of(image: str, ecr: Any) -> str:
    """The commit ID; ``unknown`` for an image that this pipeline did not build."""
    match = _IMAGE.fullmatch(image)
    if match is None:
        return UNKNOWN
    wanted = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"] or "latest"}
    try:
        answer = ecr.describe_images(registryId=match["account"], repositoryName=match["repository"], imageIds=[wanted])
    except ClientError as error:
        if error_code(error) not in _NOT_OURS:
            raise
        logs.info("the image's tags cannot be read", image=image, reason=str(error))
        return UNKNOWN
    tags = [tag for details in answer["imageDetails"] for tag in details.get("imageTags", [])]
    return next((tag for tag in sorted(tags) if _COMMIT.fullmatch(tag)), UNKNOWN)
