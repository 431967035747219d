"""A repository on disk, for `git clone` and `git push`."""

from __future__ import annotations

import re
import subprocess
import zlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codecommit.git import Commit
from mlops_constructs.local_aws.codecommit.objects import FILE_MODES, File

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.codecommit.git import History

_SECONDS = 120
_MODES = {f"{number:o}": name for name, number in FILE_MODES.items()}
_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<time>-?\d+) [+-]\d{4}")
# Nothing of the user's configuration applies here.
ENVIRONMENT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}
_BRANCH = "refs/heads/"


class BareRepository:
    """The git repository of a CodeCommit repository; git itself reads and writes it.

    Attributes:
        folder: Where it is.
    """

    def __init__(self, folder: Path, path: str) -> None:
        """Create it with the git that is found on `path`."""
        self.folder = folder
        self._environment = {"PATH": path, "HOME": str(folder.parent), **ENVIRONMENT}
        folder.mkdir(parents=True)
        self._git("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
        self._git("config", "receive.autogc", "false")

    def write(self, history: History) -> None:
        """Add the commits that were made through the API, and move the branches to where they are."""
        for commit in history.commits.values():
            if not commit.pushed_id and not self._file(commit.id).exists():
                for name, content in commit.objects().items():
                    self._add(name, content)
        before = self.branches()
        lines = [f"update {_BRANCH}{name}\0{tip}\0\0" for name, tip in history.branches.items()]
        lines += [f"delete {_BRANCH}{name}\0\0" for name in before if name not in history.branches]
        if before != history.branches:
            self._git("update-ref", "-z", "--stdin", given="".join(lines).encode())
        if history.default_branch is not None:
            self._git("symbolic-ref", "HEAD", f"{_BRANCH}{history.default_branch}")

    def branches(self) -> dict[str, str]:
        """The tips of the branches by name."""
        lines = self._git("for-each-ref", "--format=%(objectname) %(refname)", _BRANCH).decode().splitlines()
        return {name.removeprefix(_BRANCH): tip for tip, _, name in (line.partition(" ") for line in lines)}

    def read(self, commit_id: str) -> Commit | None:
        """A commit with its files, or None when it is not there."""
        if not re.fullmatch("[0-9a-f]{40}", commit_id):
            return None
        try:
            raw = self._git("cat-file", "commit", commit_id).decode(errors="replace")
        except subprocess.CalledProcessError:
            return None
        head, _, message = raw.partition("\n\n")
        facts = [line.partition(" ") for line in head.splitlines()]
        author = next(value for name, _, value in facts if name == "author")
        person = _PERSON.fullmatch(author)
        return Commit(
            files=self._files(commit_id),
            parents=tuple(value for name, _, value in facts if name == "parent"),
            author=person["name"] if person else author,
            email=person["email"] if person else "",
            message=message,
            time=datetime.fromtimestamp(int(person["time"]) if person else 0, timezone.utc),
            pushed_id=commit_id,
        )

    def _files(self, commit_id: str) -> dict[str, File]:
        """The files of a commit; a submodule is none."""
        found = {}
        for line in self._git("ls-tree", "-r", "-z", "--full-tree", commit_id).split(b"\0")[:-1]:
            facts, _, path = line.partition(b"\t")
            mode, _, blob = facts.decode().split(" ")
            if mode in _MODES:
                found[path.decode(errors="surrogateescape")] = (blob, _MODES[mode])
        contents = self._contents([blob for blob, _ in found.values()])
        return {path: File(contents[blob], mode) for path, (blob, mode) in found.items()}

    def _contents(self, blobs: list[str]) -> dict[str, bytes]:
        output = self._git("cat-file", "--batch", given="".join(f"{one}\n" for one in blobs).encode())
        contents, position = {}, 0
        for blob in blobs:
            end = output.index(b"\n", position)
            size = int(output[position:end].split(b" ")[2])
            contents[blob] = output[end + 1 : end + 1 + size]
            position = end + 2 + size
        return contents

    def _file(self, name: str) -> Path:
        return self.folder / "objects" / name[:2] / name[2:]

    def _add(self, name: str, content: bytes) -> None:
        file = self._file(name)
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(content, 1))

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        return subprocess.run(
            ["git", "-C", self.folder, *arguments],
            env=self._environment,
            input=given,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        ).stdout
