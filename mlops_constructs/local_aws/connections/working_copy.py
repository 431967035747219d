"""A commit of a repository on this machine: a git repository, or a plain folder."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codecommit.git import Commit
from mlops_constructs.local_aws.codecommit.objects import File
from mlops_constructs.local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from pathlib import Path

_IGNORED = frozenset({".git", ".venv", "__pycache__"})
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The commit that a source action uses.

    Attributes:
        commit_id: 40 hex digits.
        message: The commit's first line.
        author_date: ISO 8601.
        archive: The files, as a zip.
    """

    commit_id: str
    message: str
    author_date: str
    archive: bytes


def snapshot(repository: str, folder: Path, branch: str, commit_id: str | None) -> Snapshot:
    """Read a commit, by default the tip of ``branch``; a plain folder has one commit with its present files.

    Raises:
        LocalAwsError: The repository has no such branch or commit; the error names the repository.
    """
    if not (folder / ".git").exists():
        return _of_folder(folder)
    if shutil.which("git") is None:
        raise LocalAwsError(f"{folder} is a git repository, but there is no git on PATH")
    commit = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{commit_id or branch}^{{commit}}")
    if commit is None:
        what = f"branch {branch}" if commit_id is None else f"commit {commit_id}"
        raise LocalAwsError(f"the repository {repository} ({folder}) has no {what}")
    found = commit.decode().strip()
    described = (_git(folder, "show", "--no-patch", "--format=%aI%n%s", found) or b"").decode().splitlines()
    archive = _git(folder, "archive", "--format=zip", found)
    if archive is None:
        raise LocalAwsError(f"git archive failed for the commit {found} in {folder}")
    return Snapshot(found, described[1] if len(described) > 1 else "", described[0] if described else "", archive)


def _git(folder: Path, *arguments: str) -> bytes | None:
    """The output of a git command; None when it fails."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", folder, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


def _of_folder(folder: Path) -> Snapshot:
    files = {
        path.relative_to(folder).as_posix(): File(
            path.read_bytes(), "EXECUTABLE" if path.stat().st_mode & 0o100 else "NORMAL"
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _IGNORED.intersection(path.relative_to(folder).parts)
    }
    now = utc_now()
    commit = Commit(files, (), "local-aws", "", f"What is in {folder.name}", now)
    return Snapshot(commit.tree_id, commit.message, now.strftime("%Y-%m-%dT%H:%M:%SZ"), commit.archive())
