"""Keeps a repository that people have committed to from being deleted with the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code
from seed_repository.seed import AUTHOR, MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator


class KeptError(Exception):
    """The repository must not be deleted; the message says why, and what to do."""


def refuse_if_used(repository: str, codecommit: Any) -> None:
    """Raise KeptError when a branch has another newest commit than the seed. A missing repository is none."""
    try:
        used = [branch for branch in _branches(repository, codecommit) if not _is_seed(repository, branch, codecommit)]
    except ClientError as error:
        if error_code(error) == "RepositoryDoesNotExistException":
            return
        raise
    if used:
        raise KeptError(
            f"The CodeCommit repository {repository} was not deleted: people have committed to it (branches:"
            f" {', '.join(used)}), and CodeCommit keeps no copy. Push it elsewhere, then delete it by hand: aws"
            f" codecommit delete-repository --repository-name {repository} - and apply or destroy again."
        )


def _branches(repository: str, codecommit: Any) -> Iterator[str]:
    pages = codecommit.get_paginator("list_branches").paginate(repositoryName=repository)
    return (branch for page in pages for branch in page["branches"])


def _is_seed(repository: str, branch: str, codecommit: Any) -> bool:
    head = codecommit.get_branch(repositoryName=repository, branchName=branch)["branch"]["commitId"]
    commit = codecommit.get_commit(repositoryName=repository, commitId=head)["commit"]
    return bool(commit["author"]["name"] == AUTHOR and commit["message"].startswith(MESSAGE))
