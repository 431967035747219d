"""Rules for what an image is built from, as far as it is known at synth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rules import matches, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem


def build_problems(branch: str, ecr_repository_name: str | None, base_image: str | None) -> Iterator[Problem]:
    """Validate what an image is built from and pushed to, except the code."""
    yield from matches(
        "branch",
        branch,
        r"[A-Za-z0-9][\w./\-]{0,99}",
        "must be a branch name of at most 100 characters",
        "use for example 'main'",
    )
    if ecr_repository_name is not None:
        yield from repository_problems(
            "ecr_repository_name",
            ecr_repository_name,
            r"(?!.*\.amazonaws\.)[a-z0-9][a-z0-9._/\-]{1,255}",
            "ECR",
        )
    if base_image is not None:
        yield from matches(
            "base_image",
            base_image,
            r"[a-z0-9][\w.:/@-]{0,511}",
            "must be the name of an image, with a tag or a digest",
            "use for example 'public.ecr.aws/docker/library/python:3.12-slim@sha256:<digest>'",
        )


def repository_problems(field: str, name: str, pattern: str, service: str) -> Iterator[Problem]:
    """Require the name of a repository, where it is known: it may be a token."""
    rule = f"must be the name of a repository in {service}"
    yield from reference(field, name, pattern, rule, "give the name, not an ARN or a URI")
