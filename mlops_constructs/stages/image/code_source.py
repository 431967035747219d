"""Where the image pipeline gets the code from, and how a push starts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..._aws.actions import Action
from ..._aws.policy import allow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement

# Name and namespace of the source action. CodePipeline requires that its artifact has another name.
CODE = "Code"
SOURCE_CODE = "SourceCode"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSource:
    """A source action, the permissions that it needs, and what starts the pipeline.

    Attributes:
        action: The action; ``#{Code.CommitId}`` is the commit.
        permissions: What the pipeline's role needs for it.
        push_event: EventBridge pattern of a push, or None when a trigger of CodePipeline detects pushes.
        pushes: Source action to branch, when a trigger of CodePipeline detects pushes.
    """

    action: Action
    permissions: Sequence[Statement]
    push_event: Mapping[str, object] | None = None
    pushes: Mapping[str, str] = field(default_factory=dict)


def codecommit_source(env: Environment, repository_name: str, branch: str) -> CodeSource:
    """Use a branch of a CodeCommit repository in this account and region as the source."""
    repository_arn = env.arn("codecommit", repository_name)
    return CodeSource(
        action=_source(
            "CodeCommit",
            {"RepositoryName": repository_name, "BranchName": branch, "PollForSourceChanges": "false"},
        ),
        permissions=[
            allow(
                [
                    "codecommit:GetBranch",
                    "codecommit:GetCommit",
                    "codecommit:GetRepository",
                    "codecommit:GetUploadArchiveStatus",
                    "codecommit:UploadArchive",
                    "codecommit:CancelUploadArchive",
                ],
                repository_arn,
            )
        ],
        push_event={
            "source": ["aws.codecommit"],
            "detail-type": ["CodeCommit Repository State Change"],
            "resources": [repository_arn],
            "detail": {
                "event": ["referenceCreated", "referenceUpdated"],
                "referenceType": ["branch"],
                "referenceName": [branch],
            },
        },
    )


def connection_source(connection_arn: str, repository: str, branch: str) -> CodeSource:
    """Use a branch of a repository that is reached by a connection as the source.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
    """
    return CodeSource(
        action=_source(
            "CodeStarSourceConnection",
            {
                "ConnectionArn": connection_arn,
                "FullRepositoryId": repository,
                "BranchName": branch,
                # The trigger detects changes; with both, a push would start two executions.
                "DetectChanges": "false",
            },
        ),
        permissions=[
            # The prefix of the IAM action must be that of the connection's ARN, and ARNs with both prefixes exist.
            # https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
            allow(["codeconnections:UseConnection", "codestar-connections:UseConnection"], connection_arn)
        ],
        pushes={CODE: branch},
    )


def _source(action_provider: str, configuration: Mapping[str, str]) -> Action:
    return Action(
        name=CODE,
        category="Source",
        action_provider=action_provider,
        namespace=CODE,
        outputs=[SOURCE_CODE],
        configuration=configuration,
    )
