"""Rules for tags that all services share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# An endpoint's template contains the tags three times, and CloudFormation limits a template to 51,200 bytes.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_TAG_LENGTH = 8000
# SageMaker jobs and model packages have at most 50 tags, and the pipeline adds its own.
# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
MAX_TAGS = 40
# Letters, digits and spaces, but no line breaks and tabs, which YAML puts at the end of a block.
_CHARACTERS = r"(?:[\w.:/=+\-@]|[^\S\x00-\x1f\x7f-\x9f])"


def tag_problems(tags: Mapping[str, str]) -> Iterator[Problem]:
    """Apply the rules of the services, and IAM's, which are the strictest.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    if len(tags) > MAX_TAGS:
        yield Problem("tags", f"must have at most {MAX_TAGS} entries", len(tags), "leave some out")
    size = len(json.dumps(dict(tags)))
    if size > MAX_TAG_LENGTH:
        rule = f"must have at most {MAX_TAG_LENGTH} characters in total, as JSON"
        yield Problem("tags", rule, f"{size} characters", "shorten them, or remove some")
    for key, value in tags.items():
        yield from matches(
            f"tags[{key!r}]",
            key,
            rf"(?!(?i:aws:)){_CHARACTERS}{{1,128}}",
            "the key must have 1 to 128 letters, digits, spaces and _.:/=+-@, and not start with 'aws:'",
            "rename it",
        )
        yield from matches(
            f"tags[{key!r}]",
            value,
            rf"(?!(?i:aws:)){_CHARACTERS}{{0,256}}",
            "the value must have at most 256 letters, digits, spaces and _.:/=+-@, and not start with 'aws:'",
            "shorten or reword it",
        )
    yield from case_problems(tags, {})


def case_problems(tags: Mapping[str, str], others: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the keys that differ only in case from one before them, or from one of ``others``.

    For the tags of a role, IAM does not tell upper from lower case.
    """
    seen = {key.lower(): key for key in others}
    for key in tags:
        other = seen.setdefault(key.lower(), key)
        if other != key:
            where = "of the provider's default_tags " if other in others else ""
            rule = f"the key must differ from {other!r} {where}in more than case, because IAM ignores case"
            yield Problem(f"tags[{key!r}]", rule, key, "use one spelling")
