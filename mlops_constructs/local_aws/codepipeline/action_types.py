"""The action types that the local AWS supports, as CodePipeline documents them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ActionType:
    """What CodePipeline requires of an action's declaration.

    Attributes:
        inputs: Minimum and maximum number of input artifacts.
        outputs: Minimum and maximum number of output artifacts.
        required: Required configuration keys.
        variables: Names of its output variables; None where the job, the build or the stack defines them.
    """

    inputs: tuple[int, int]
    outputs: tuple[int, int]
    required: frozenset[str] = frozenset()
    variables: frozenset[str] | None = frozenset()


_NONE = (0, 0)
_GIT = frozenset({"AuthorDate", "BranchName", "CommitId", "CommitMessage"})
_CODEBUILD = ActionType((1, 5), (0, 5), frozenset({"ProjectName"}), None)

# By category, owner and provider. Numbers of artifacts:
# https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
# Variables: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html, and for S3
# https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
# Configuration: the action's own page, https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
ACTION_TYPES: Mapping[tuple[str, str, str], ActionType] = {
    ("Source", "AWS", "S3"): ActionType(
        _NONE,
        (1, 1),
        frozenset({"S3Bucket", "S3ObjectKey"}),
        frozenset({"BucketName", "ETag", "ObjectKey", "VersionId"}),
    ),
    ("Source", "AWS", "CodeCommit"): ActionType(
        _NONE, (1, 1), frozenset({"BranchName", "RepositoryName"}), _GIT | {"CommitterDate", "RepositoryName"}
    ),
    ("Source", "AWS", "CodeStarSourceConnection"): ActionType(
        _NONE,
        (1, 1),
        frozenset({"BranchName", "ConnectionArn", "FullRepositoryId"}),
        _GIT | {"ConnectionArn", "FullRepositoryName"},
    ),
    ("Build", "AWS", "CodeBuild"): _CODEBUILD,
    ("Test", "AWS", "CodeBuild"): _CODEBUILD,
    ("Invoke", "AWS", "Lambda"): ActionType((0, 5), (0, 5), frozenset({"FunctionName"}), None),
    ("Approval", "AWS", "Manual"): ActionType(_NONE, _NONE),
    ("Deploy", "AWS", "CloudFormation"): ActionType((0, 10), (0, 1), frozenset({"ActionMode", "StackName"}), None),
}
