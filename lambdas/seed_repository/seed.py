"""Commit the files of a zip archive to a branch that has no commits yet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import PERMISSION_CODES, ConfigurationError, error_code
from seed_repository.archive import File, read_archive

if TYPE_CHECKING:
    from seed_repository.settings import Params, Settings

# Limits of one CreateCommit: 100 files, and 20 MB including the third that base64 adds.
FILES_PER_COMMIT = 100
BYTES_PER_COMMIT = 12 * 1024 * 1024
MAX_ARCHIVE_BYTES = 64 * 1024 * 1024
# Terraform invokes the function right after it has created the role, and IAM takes a while to apply it in all services.
PROPAGATION_SECONDS = 60
PAUSE_SECONDS = 3
AUTHOR = "mlops-constructs"
MESSAGE = "Seed the repository"


def seed(params: Params, settings: Settings, codecommit: Any, s3: Any) -> dict[str, Any]:
    """Seed the branch, unless it already has commits that are not an unfinished seed.

    Returns ``{"seeded": bool, "commit": ID}`` with the newest commit of the branch.
    """
    deadline = time.monotonic() + PROPAGATION_SECONDS
    while True:
        try:
            return _seed(params, settings, codecommit, s3)
        except ClientError as error:
            if error_code(error) not in PERMISSION_CODES or time.monotonic() > deadline:
                raise
            logs.info("access denied, trying again", error=error_code(error))
            time.sleep(PAUSE_SECONDS)


def _seed(params: Params, settings: Settings, codecommit: Any, s3: Any) -> dict[str, Any]:
    head = _head(settings, codecommit)
    parts = _batches(_files(params, settings, s3))
    done = 0 if head is None else _parts_done(head, len(parts), settings, codecommit)
    if done == len(parts):
        logs.info("repository has content and is not changed", repository=settings.repository, commit=head)
        return {"seeded": False, "commit": head}
    for number, part in enumerate(parts[done:], start=done + 1):
        head = _commit(part, head, _message(number, len(parts)), settings, codecommit)
        logs.info("committed", repository=settings.repository, commit=head, part=number, of=len(parts))
    return {"seeded": True, "commit": head}


def _head(settings: Settings, codecommit: Any) -> str | None:
    try:
        branch = codecommit.get_branch(repositoryName=settings.repository, branchName=settings.branch)
    except ClientError as error:
        if error_code(error) == "BranchDoesNotExistException":
            return None
        raise
    return str(branch["branch"]["commitId"])


def _files(params: Params, settings: Settings, s3: Any) -> list[File]:
    place = f"s3://{settings.source_bucket}/{params.key}"
    try:
        answer = s3.get_object(Bucket=settings.source_bucket, Key=params.key)
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            raise ConfigurationError(f"{place}: no such object; apply again to upload it") from error
        raise
    if answer["ContentLength"] > MAX_ARCHIVE_BYTES:
        raise ConfigurationError(f"{place}: more than {MAX_ARCHIVE_BYTES} bytes; leave data files out")
    return read_archive(answer["Body"].read(), place)


def _batches(files: list[File]) -> list[list[File]]:
    batches: list[list[File]] = [[]]
    size = 0
    for file in files:
        if len(batches[-1]) == FILES_PER_COMMIT or size + len(file.content) > BYTES_PER_COMMIT:
            batches.append([])
            size = 0
        batches[-1].append(file)
        size += len(file.content)
    return batches


def _parts_done(head: str, parts: int, settings: Settings, codecommit: Any) -> int:
    """How many parts an earlier, interrupted invocation has committed; all when the branch has other commits."""
    if parts == 1:
        return parts
    message = codecommit.get_commit(repositoryName=settings.repository, commitId=head)["commit"]["message"]
    messages = [_message(number, parts) for number in range(1, parts + 1)]
    return messages.index(message.strip()) + 1 if message.strip() in messages else parts


def _message(number: int, parts: int) -> str:
    return MESSAGE + (f" (part {number} of {parts})" if parts > 1 else "")


def _commit(part: list[File], parent: str | None, message: str, settings: Settings, codecommit: Any) -> str:
    files = [
        {
            "filePath": file.path,
            "fileMode": "EXECUTABLE" if file.executable else "NORMAL",
            "fileContent": file.content,
        }
        for file in part
    ]
    answer = codecommit.create_commit(
        repositoryName=settings.repository,
        branchName=settings.branch,
        commitMessage=message,
        authorName=AUTHOR,
        putFiles=files,
        **({"parentCommitId": parent} if parent else {}),
    )
    return str(answer["commitId"])
