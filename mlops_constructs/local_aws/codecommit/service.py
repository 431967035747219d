"""CodeCommit's commits; moto stores the repositories themselves."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codecommit.announce import announce
from mlops_constructs.local_aws.codecommit.changes import changed_files, checked_parent, file_metadata
from mlops_constructs.local_aws.codecommit.git import Commit, History
from mlops_constructs.local_aws.codecommit.objects import File
from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


class CodeCommitService(Service):
    """CodeCommit with commits through the API, and through git."""

    service_name: ClassVar[str] = "codecommit"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._histories: dict[str, History] = defaultdict(History)
        self._tags: dict[str, dict[str, str]] = defaultdict(dict)
        self._ids: dict[str, str] = {}

    def create_repository(self, params: Params) -> Params:
        """Create moto's repository; moto's dates, which are text, are returned as numbers as on AWS."""
        known = {key: params[key] for key in ("repositoryName", "repositoryDescription") if key in params}
        answer = without_metadata(self.account.moto("codecommit").create_repository(**known))
        metadata = answer["repositoryMetadata"]
        with self.lock:
            self._tags[metadata["Arn"]] = dict(params.get("tags", {}))
            self._ids[metadata["repositoryName"]] = metadata["repositoryId"]
        return {"repositoryMetadata": metadata}

    def get_repository(self, params: Params) -> Params:
        """moto's repository and the default branch."""
        metadata = self._metadata(params["repositoryName"])
        branch = self._histories[params["repositoryName"]].default_branch
        return {"repositoryMetadata": {**metadata, **({"defaultBranch": branch} if branch else {})}}

    def list_repositories(self, _: Params) -> Params:
        """Names and ids, sorted by name."""
        with self.lock:
            found = [{"repositoryName": name, "repositoryId": self._ids[name]} for name in sorted(self._ids)]
        return {"repositories": found}

    def after_delete_repository(self, params: Params, _: dict[str, str]) -> None:
        """Delete the repository's commits too."""
        with self.lock:
            self._histories.pop(params["repositoryName"], None)
            self._ids.pop(params["repositoryName"], None)

    def list_tags_for_resource(self, params: Params) -> Params:
        """The tags of a repository."""
        with self.lock:
            return {"tags": dict(self._tags[params["resourceArn"]])}

    def tag_resource(self, params: Params) -> Params:
        """Add tags to a repository."""
        with self.lock:
            self._tags[params["resourceArn"]].update(params["tags"])
        return {}

    def untag_resource(self, params: Params) -> Params:
        """Remove tags from a repository."""
        with self.lock:
            for key in params["tagKeys"]:
                self._tags[params["resourceArn"]].pop(key, None)
        return {}

    def create_commit(self, params: Params) -> Params:
        """Put and delete files and set file modes on top of a branch's tip, or create the first branch."""
        name, branch = params["repositoryName"], params["branchName"]
        metadata = self._metadata(name)
        with self.lock:
            history = self._histories[name]
            parent = checked_parent(history, branch, params.get("parentCommitId"))
            before = dict(parent.files) if parent is not None else {}
            commit = Commit(
                files=changed_files(before, params),
                parents=(parent.id,) if parent is not None else (),
                author=params.get("authorName", "local-aws"),
                email=params.get("email", ""),
                message=params.get("commitMessage", ""),
                time=utc_now(),
            )
            if commit.files == before:
                raise AwsError("NoChangeException", "The commit would change nothing.")
            history.commits[commit.id] = commit
            history.branches[branch] = commit.id
        announce(self.account, metadata, branch, None if parent is None else parent.id, commit.id)
        added = [path for path in commit.files if path not in before]
        updated = [path for path in before if path in commit.files and commit.files[path] != before[path]]
        return {
            "commitId": commit.id,
            "treeId": commit.tree_id,
            "filesAdded": [file_metadata(path, commit.files[path]) for path in added],
            "filesUpdated": [file_metadata(path, commit.files[path]) for path in updated],
            "filesDeleted": [file_metadata(path, before[path]) for path in before if path not in commit.files],
        }

    def put_file(self, params: Params) -> Params:
        """A commit of one file."""
        file = {"filePath": params["filePath"], "fileContent": params["fileContent"]}
        if "fileMode" in params:
            file["fileMode"] = params["fileMode"]
        shared = ("repositoryName", "branchName", "parentCommitId", "commitMessage", "email")
        request = {key: params[key] for key in shared if key in params}
        made = self.create_commit({**request, "authorName": params.get("name", "local-aws"), "putFiles": [file]})
        blob_id = File(params["fileContent"], "NORMAL").blob_id
        return {"commitId": made["commitId"], "treeId": made["treeId"], "blobId": blob_id}

    def get_branch(self, params: Params) -> Params:
        """A branch's tip."""
        self._metadata(params["repositoryName"])
        name = params["branchName"]
        with self.lock:
            commit_id = self._histories[params["repositoryName"]].branches.get(name)
        if commit_id is None:
            raise AwsError("BranchDoesNotExistException", f"Branch {name} does not exist.")
        return {"branch": {"branchName": name, "commitId": commit_id}}

    def list_branches(self, params: Params) -> Params:
        """All branches, in one page."""
        self._metadata(params["repositoryName"])
        with self.lock:
            return {"branches": sorted(self._histories[params["repositoryName"]].branches)}

    def get_commit(self, params: Params) -> Params:
        """A commit's author, date, parents and message."""
        self._metadata(params["repositoryName"])
        commit = self._histories[params["repositoryName"]].commit(params["commitId"])
        if commit is None:
            raise AwsError("CommitIdDoesNotExistException", f"Commit {params['commitId']} does not exist.")
        person = {
            "name": commit.author,
            "email": commit.email,
            "date": f"{int(commit.time.timestamp())} +0000",
        }
        return {
            "commit": {
                "commitId": commit.id,
                "treeId": commit.tree_id,
                "parents": list(commit.parents),
                "message": commit.message,
                "author": person,
                "committer": person,
                "additionalData": "",
            }
        }

    def get_file(self, params: Params) -> Params:
        """A file's content at a commit or branch."""
        commit = self._commit(params)
        path = params["filePath"].strip("/")
        file = commit.files.get(path)
        if file is None:
            raise AwsError("FileDoesNotExistException", f"{path} does not exist at {commit.id}.")
        return {
            "commitId": commit.id,
            "blobId": file.blob_id,
            "filePath": path,
            "fileMode": file.mode,
            "fileSize": len(file.content),
            "fileContent": file.content,
        }

    def get_folder(self, params: Params) -> Params:
        """The files and subfolders directly in a folder, at a commit or branch."""
        commit = self._commit(params)
        folder = params["folderPath"].strip("/")
        prefix = f"{folder}/" if folder else ""
        inside = {path[len(prefix) :]: file for path, file in commit.files.items() if path.startswith(prefix)}
        if not inside and folder:
            raise AwsError("FolderDoesNotExistException", f"{folder} does not exist at {commit.id}.")
        folders = sorted({path.split("/")[0] for path in inside if "/" in path})
        files = [
            {
                "blobId": file.blob_id,
                "absolutePath": prefix + path,
                "relativePath": path,
                "fileMode": file.mode,
            }
            for path, file in sorted(inside.items())
            if "/" not in path
        ]
        listed = [{"absolutePath": prefix + name, "relativePath": name} for name in folders]
        return {
            "commitId": commit.id,
            "folderPath": folder,
            "treeId": commit.tree_id,
            "subFolders": listed,
            "files": files,
        }

    def archive(self, repository: str, commit_id: str) -> bytes:
        """A commit's files as a zip; on AWS CodePipeline gets it by UploadArchive."""
        return self._commit({"repositoryName": repository, "commitSpecifier": commit_id}).archive()

    def exists(self, repository: str) -> bool:
        """Whether there is such a repository."""
        with self.lock:
            return repository in self._ids

    def history(self, repository: str) -> History:
        """The commits and branches of a repository; hold `lock` while using it."""
        return self._histories[repository]

    def take_branches(self, repository: str, before: dict[str, str], after: dict[str, str]) -> None:
        """Take over what was pushed."""
        metadata, history = self._metadata(repository), self._histories[repository]
        history.branches = {
            **{name: after[name] for name in history.branches if name in after},
            **{name: tip for name, tip in after.items() if name not in history.branches},
        }
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                announce(self.account, metadata, name, before.get(name), after.get(name))

    def _metadata(self, repository: str) -> Params:
        answer = self.account.moto("codecommit").get_repository(repositoryName=repository)
        metadata: Params = answer["repositoryMetadata"]
        return metadata

    def _commit(self, params: Params) -> Commit:
        self._metadata(params["repositoryName"])
        with self.lock:
            history = self._histories[params["repositoryName"]]
            asked = params.get("commitSpecifier", history.default_branch)
            wanted = str(asked).removeprefix("refs/heads/")
            commit = history.commit(history.branches.get(wanted, wanted))
        if commit is None:
            raise AwsError("CommitDoesNotExistException", f"{asked} is neither a branch nor a commit.")
        return commit
