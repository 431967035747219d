"""The CodeCommit source: the files of one commit."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codepipeline.state import ActionFailedError, SourceRevision

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codecommit.service import CodeCommitService
    from mlops_constructs.local_aws.codepipeline.context import ActionContext


class CodeCommitSource:
    """Reads the tip of a branch, or the commit that was requested for the execution."""

    def __init__(self, codecommit: CodeCommitService) -> None:
        self._codecommit = codecommit

    def run(self, context: ActionContext) -> dict[str, str]:
        """Store the commit's files, with their modes, as a zip."""
        form = context.run.configuration.get("OutputArtifactFormat", "CODE_ZIP")
        if form != "CODE_ZIP":
            raise ActionFailedError(f"the local AWS does not support OutputArtifactFormat {form}", "ConfigurationError")
        client = context.client("codecommit")
        repository, branch = context.setting("RepositoryName"), context.setting("BranchName")
        commit_id = context.execution.override(context.run.name, "COMMIT_ID")
        if commit_id is None:
            tip = client.get_branch(repositoryName=repository, branchName=branch)
            commit_id = tip["branch"]["commitId"]
        commit = client.get_commit(repositoryName=repository, commitId=commit_id)["commit"]
        # AWS uses UploadArchive for this, which is not a public API
        archive = self._codecommit.archive(repository, commit_id)
        for output in context.run.outputs:
            context.store.write(output, archive)
        context.run.external_id, context.run.summary = commit_id, commit["message"]
        artifact = context.run.outputs[0].name if context.run.outputs else ""
        with context.changed:
            context.execution.revisions.append(SourceRevision(context.run.name, commit_id, commit["message"], artifact))
        return {
            "CommitId": commit_id,
            "BranchName": branch,
            "RepositoryName": repository,
            "CommitMessage": commit["message"],
            "AuthorDate": _iso(commit["author"]["date"]),
            "CommitterDate": _iso(commit["committer"]["date"]),
        }


def _iso(git_date: str) -> str:
    seconds = int(git_date.split()[0])
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
