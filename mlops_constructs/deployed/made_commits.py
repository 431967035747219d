"""The commits of people in the repository that a pipeline created for its algorithm."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .clients import code_of, explained
from .made import Made
from .pipeline import actions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .pipeline import DeployedPipeline

# Who commits the seed, which is a copy of a folder beside the program.
SEED_AUTHOR = "mlops-constructs"


def used_repository(pipeline: DeployedPipeline) -> Iterator[Made]:
    """Return the CodeCommit repository, if people have committed to it: a destroy refuses to delete it."""
    from botocore.exceptions import ClientError

    name, codecommit = pipeline.name, pipeline.client("codecommit")
    if not _is_built_from(pipeline, name):
        return
    try:
        pages = list(codecommit.get_paginator("list_branches").paginate(repositoryName=name))
    except ClientError as error:
        # It is deleted already.
        if code_of(error) != "RepositoryDoesNotExistException":
            raise
        return
    branches = [branch for page in pages for branch in page["branches"]]
    heads = [codecommit.get_branch(repositoryName=name, branchName=branch)["branch"] for branch in branches]
    commits = [codecommit.get_commit(repositoryName=name, commitId=head["commitId"])["commit"] for head in heads]
    if any(commit["author"]["name"] != SEED_AUTHOR for commit in commits):
        yield Made("repository", name, partial(_delete, pipeline))


def _is_built_from(pipeline: DeployedPipeline, repository: str) -> bool:
    """Tell whether the image is built from a repository: an existing one has another name than the pipeline."""
    if pipeline.image_pipeline is None:
        return False
    definition = pipeline.client("codepipeline").get_pipeline(name=pipeline.image_pipeline)["pipeline"]
    return any(one["configuration"].get("RepositoryName") == repository for one in actions_of(definition))


def _delete(pipeline: DeployedPipeline) -> None:
    with explained(f"the repository {pipeline.name} could not be deleted"):
        pipeline.client("codecommit").delete_repository(repositoryName=pipeline.name)
