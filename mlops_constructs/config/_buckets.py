"""Rules for the name of an existing bucket, as far as it is known at synth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import reference
from ._tokens import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME = r"(?!.*\.\.)(?!\d+(?:\.\d+){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
# Until March 2018, us-east-1 accepted these names.
_LEGACY = re.compile(r"[A-Za-z0-9._-]{3,255}")
_RESERVED = re.compile(r"xn--.*|.*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)")


def bucket_problems(field: str, name: str) -> Iterator[Problem]:
    """Require the name of a general purpose bucket; a reference is not inspected."""
    remedy = "use for example 'team-data'"
    if not is_reference(name):
        if _RESERVED.fullmatch(name):
            rule = "must be the name of a general purpose bucket, not of an access point, a directory or a table bucket"
            yield Problem(field, rule, name, "give the name of the bucket that it belongs to")
            return
        if _LEGACY.fullmatch(name) and not re.fullmatch(_NAME, name):
            # No documentation says that CodePipeline and SageMaker work with the names of before 2018.
            rule = (
                "must have 3 to 63 lower-case letters, digits, '.' and '-', as S3 requires since 2018; other names of"
                " older buckets are not supported"
            )
            yield Problem(field, rule, name, "copy or replicate the objects to a bucket with such a name")
            return
    yield from reference(field, name, _NAME, "must be the name of a bucket, not an ARN or URI", remedy)
