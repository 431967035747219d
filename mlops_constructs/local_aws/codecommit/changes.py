"""The changes of a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codecommit.objects import File
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codecommit.git import Commit, History
    from mlops_constructs.local_aws.service import Params

MAXIMUM_FILES = 100
MAXIMUM_FILE_BYTES = 6 * 1024 * 1024


def changed_files(before: dict[str, File], params: Params) -> dict[str, File]:
    """The files after putFiles, deleteFiles and setFileModes of CreateCommit. Raises `AwsError` as CodeCommit does."""
    puts, deletes = params.get("putFiles", []), params.get("deleteFiles", [])
    modes = params.get("setFileModes", [])
    if len(puts) + len(deletes) + len(modes) > MAXIMUM_FILES:
        raise AwsError("MaximumFileEntriesExceededException", f"At most {MAXIMUM_FILES} files per commit.")
    files = dict(before)
    for put in puts:
        path = _checked_path(put["filePath"])
        content = put.get("fileContent", b"")
        if len(content) > MAXIMUM_FILE_BYTES:
            raise AwsError("FileContentSizeLimitExceededException", f"{path} is larger than 6 MB.")
        files[path] = File(content, put.get("fileMode", "NORMAL"))
    for entry in [*deletes, *modes]:
        if _checked_path(entry["filePath"]) not in before:
            raise AwsError("FileDoesNotExistException", f"{entry['filePath']} does not exist.")
    for entry in deletes:
        del files[entry["filePath"]]
    for entry in modes:
        files[entry["filePath"]] = File(files[entry["filePath"]].content, entry["fileMode"])
    return files


def checked_parent(history: History, branch: str, given: str | None) -> Commit | None:
    """The parent of a new commit on a branch, or None for the first commit. Raises `AwsError` as CodeCommit does."""
    if not history.branches:
        if given is not None:
            raise AwsError("ParentCommitDoesNotExistException", "The repository has no commit yet.")
        return None
    tip = history.branches.get(branch)
    if tip is None:
        raise AwsError("BranchDoesNotExistException", f"Branch {branch} does not exist.")
    if given is None:
        raise AwsError("ParentCommitIdRequiredException", f"Give the tip of {branch} as parentCommitId.")
    if history.commit(given) is None:
        raise AwsError("ParentCommitDoesNotExistException", f"Commit {given} does not exist.")
    if given != tip:
        raise AwsError("ParentCommitIdOutdatedException", f"{given} is not the tip of {branch} any more.")
    return history.commit(tip)


def _checked_path(path: str) -> str:
    if path.startswith("/") or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise AwsError("InvalidPathException", f"{path} is not a path inside the repository.")
    return path


def file_metadata(path: str, file: File) -> Params:
    """A file in the response of CreateCommit."""
    return {"absolutePath": path, "blobId": file.blob_id, "fileMode": file.mode}
