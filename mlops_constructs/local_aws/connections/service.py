"""Connections to GitHub, GitLab and Bitbucket: created PENDING, completed by a person; pushes come from outside."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from mlops_constructs.local_aws.connections.working_copy import Snapshot, snapshot
from mlops_constructs.local_aws.errors import LocalAwsError
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.account import Account

AVAILABLE, PENDING = "AVAILABLE", "PENDING"


class ConnectionsService(Service):
    """Connections, and the local folders that stand in for the repositories at the Git host.

    Attributes:
        missing_repository: The remedy in the error about a repository without a stand-in; may contain `{repository}`.
    """

    service_name: ClassVar[str] = "codestar-connections"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._connections: dict[str, Params] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._repositories: dict[str, Path] = {}
        self.missing_repository = "let a folder or git repository stand in for {repository}"

    def create_connection(self, params: Params) -> Params:
        """Create a connection, which a person must then complete."""
        arn = self.account.arn("codestar-connections", f"connection/{uuid4()}")
        tags = params.get("Tags", [])
        with self.lock:
            self._connections[arn] = {
                "ConnectionName": params["ConnectionName"],
                "ConnectionArn": arn,
                "ProviderType": params.get("ProviderType", ""),
                "OwnerAccountId": self.account.account_id,
                "ConnectionStatus": PENDING,
            }
            self._tags[arn] = {tag["Key"]: tag["Value"] for tag in tags}
        return {"ConnectionArn": arn, "Tags": tags}

    def get_connection(self, params: Params) -> Params:
        """A connection and its status."""
        with self.lock:
            return {"Connection": dict(self._found(params["ConnectionArn"]))}

    def list_connections(self, params: Params) -> Params:
        """All connections, or all of one provider type, in one page."""
        wanted = params.get("ProviderTypeFilter")
        with self.lock:
            found = [dict(one) for one in self._connections.values() if wanted in (None, one["ProviderType"])]
        return {"Connections": found}

    def delete_connection(self, params: Params) -> Params:
        """Delete a connection."""
        with self.lock:
            self._found(params["ConnectionArn"])
            del self._connections[params["ConnectionArn"]], self._tags[params["ConnectionArn"]]
        return {}

    def list_tags_for_resource(self, params: Params) -> Params:
        """The tags of a connection."""
        with self.lock:
            self._found(params["ResourceArn"])
            tags = self._tags[params["ResourceArn"]]
            return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, params: Params) -> Params:
        """Add tags to a connection."""
        with self.lock:
            self._found(params["ResourceArn"])
            self._tags[params["ResourceArn"]].update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    def untag_resource(self, params: Params) -> Params:
        """Remove tags from a connection."""
        with self.lock:
            self._found(params["ResourceArn"])
            for key in params["TagKeys"]:
                self._tags[params["ResourceArn"]].pop(key, None)
        return {}

    def stand_in(self, repository: str, folder: Path) -> None:
        """Use a folder, or a git repository on this machine, in place of the repository at the Git host."""
        with self.lock:
            self._repositories[repository] = folder

    def complete(self) -> list[str]:
        """Complete every PENDING connection, as a person does in the console; return their names."""
        with self.lock:
            pending = [one for one in self._connections.values() if one["ConnectionStatus"] == PENDING]
            for connection in pending:
                connection["ConnectionStatus"] = AVAILABLE
        return [connection["ConnectionName"] for connection in pending]

    def status(self, arn: str) -> str:
        """The status of a connection; a connection that was not created here was completed by its owner."""
        with self.lock:
            connection = self._connections.get(arn)
            return AVAILABLE if connection is None else str(connection["ConnectionStatus"])

    def read(self, repository: str, branch: str, commit_id: str | None = None) -> Snapshot:
        """A commit of a repository, by default the tip of the branch. Raises LocalAwsError with the reason."""
        with self.lock:
            folder = self._repositories.get(repository)
        if folder is None:
            advice = self.missing_repository.format(repository=repository)
            raise LocalAwsError(f"the repository {repository} is not on this machine: {advice}")
        return snapshot(repository, folder, branch, commit_id)

    def push(self, repository: str, branch: str) -> str:
        """Start the pipelines that watch the branch on its tip, as the Git host's webhook does; return the commit."""
        commit_id = self.read(repository, branch).commit_id
        codepipeline = self.account.client("codepipeline")
        for summary in codepipeline.list_pipelines()["pipelines"]:
            pipeline = codepipeline.get_pipeline(name=summary["name"])["pipeline"]
            for action in _watching(pipeline, repository, branch):
                revision = {"actionName": action, "revisionType": "COMMIT_ID", "revisionValue": commit_id}
                codepipeline.start_pipeline_execution(name=pipeline["name"], sourceRevisions=[revision])
        return commit_id

    def _found(self, arn: str) -> Params:
        if arn not in self._connections:
            raise AwsError("ResourceNotFoundException", f"Connection {arn} does not exist.")
        return self._connections[arn]


def _watching(pipeline: Params, repository: str, branch: str) -> list[str]:
    """The source actions for which a push to the branch starts the pipeline."""
    sources = {
        action["name"]
        for action in pipeline["stages"][0]["actions"]
        if action["configuration"].get("FullRepositoryId") == repository
    }
    watched: list[str] = []
    for trigger in pipeline.get("triggers", []):
        git: dict[str, Any] = trigger["gitConfiguration"]
        patterns = [one for push in git.get("push", []) for one in push.get("branches", {}).get("includes", [])]
        if git["sourceActionName"] in sources and any(fnmatchcase(branch, pattern) for pattern in patterns):
            watched.append(git["sourceActionName"])
    return watched
