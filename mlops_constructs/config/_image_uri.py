"""Rules for the URI of an image in ECR, as far as it is known at synth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._rules import reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem

_PLACE = r"\d{12}\.dkr\.ecr\.(?!cn-)[a-z0-9-]+\.amazonaws\.com/[a-z0-9][a-z0-9._/\-]{1,255}"
_TAG, _DIGEST = r":[A-Za-z0-9_][\w.\-]{0,127}", r"@sha256:[0-9a-f]{64}"


def image_problems(field: str, uri: str) -> Iterator[Problem]:
    """Require an image that SageMaker can pull, by digest or tag; a token is not inspected.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AlgorithmSpecification.html
    """
    yield from reference(
        field,
        uri,
        f"{_PLACE}(?:{_TAG})?{_DIGEST}|{_PLACE}{_TAG}",
        "must name an image in ECR by digest or tag; SageMaker pulls from nowhere else",
        "use '<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>'",
    )


def is_ecr_image(uri: str) -> bool:
    """Tell whether a literal names an image in a private registry of ECR."""
    return re.fullmatch(f"{_PLACE}(?:{_TAG})?(?:{_DIGEST})?", uri) is not None


def tag_warning(uri: object) -> str | None:
    """Return the warning about an image by tag; None for a digest, a token, and what is not an image."""
    if not isinstance(uri, str) or re.fullmatch(f"{_PLACE}{_TAG}", uri) is None:
        return None
    return (
        f"{uri} is a tag, which can later name another image: each training uses the image that it names then. "
        "Name the image by digest to know what is trained."
    )
