"""The CodeStarSourceConnection source: the files of one commit, through a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codepipeline.state import ActionFailedError, SourceRevision
from mlops_constructs.local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codepipeline.context import ActionContext
    from mlops_constructs.local_aws.connections.service import ConnectionsService


class ConnectionSource:
    """Reads the tip of a branch, or the commit that was requested for the execution."""

    def __init__(self, connections: ConnectionsService) -> None:
        self._connections = connections

    def run(self, context: ActionContext) -> dict[str, str]:
        """Store the commit's files as a zip; the action fails while the connection is not AVAILABLE."""
        form = context.run.configuration.get("OutputArtifactFormat", "CODE_ZIP")
        if form != "CODE_ZIP":
            raise ActionFailedError(f"the local AWS does not support OutputArtifactFormat {form}", "ConfigurationError")
        arn, repository = context.setting("ConnectionArn"), context.setting("FullRepositoryId")
        branch = context.setting("BranchName")
        status = self._connections.status(arn)
        if status != "AVAILABLE":
            raise ActionFailedError(
                f"the connection {arn} is {status}, not AVAILABLE: a person must complete it in the console "
                "(Developer Tools, Settings, Connections)",
                "ConfigurationError",
            )
        wanted = context.execution.override(context.run.name, "COMMIT_ID")
        try:
            commit = self._connections.read(repository, branch, wanted)
        except LocalAwsError as error:
            raise ActionFailedError(str(error), "ConfigurationError") from error
        for output in context.run.outputs:
            context.store.write(output, commit.archive)
        context.run.external_id, context.run.summary = commit.commit_id, commit.message
        artifact = context.run.outputs[0].name if context.run.outputs else ""
        with context.changed:
            context.execution.revisions.append(
                SourceRevision(context.run.name, commit.commit_id, commit.message, artifact)
            )
        return {
            "AuthorDate": commit.author_date,
            "BranchName": branch,
            "CommitId": commit.commit_id,
            "CommitMessage": commit.message,
            "ConnectionArn": arn,
            "FullRepositoryName": repository,
        }
