"""A kept rehearsal that was killed is brought back: the same pipeline at the same URL, with all that was in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from descendants import alive, descendants
from leftovers import nothing_left
from local_aws.tiny_container import wait_until
from patience import PATIENCE_SECONDS
from rehearse_process import MLOPS, ROOT, start

from mlops_constructs.local_aws.snapshot.folder import found
from mlops_constructs.local_aws.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.terraform
KEPT = "  mlops rehearse --resume"
TRAINING = ROOT / "mlops_constructs" / "rehearsal" / "iris" / "train.csv"


class Project:
    """A copy of the iris project, with a cache of its own for what is kept."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.scratch = folder / "project", folder / "tmp"
        self.folder.mkdir()
        self.scratch.mkdir()
        for name in ("main.py", "container", "cdktf.json"):
            (self.folder / name).symlink_to(ROOT / name)
        warm, cold = user_cache(), folder / "cache"
        (cold / "local-aws").mkdir(parents=True)
        for name in ("local-aws/environments", "mlops-constructs"):
            (warm / name).mkdir(parents=True, exist_ok=True)
            (cold / name).symlink_to(warm / name)
        monkeypatch.setenv("XDG_CACHE_HOME", str(cold))
        self.name = ""

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return start(self.scratch, *arguments, cwd=self.folder)

    def mlops(self, command: str, *arguments: str) -> Any:
        """What a command prints as JSON, of the local AWS that is kept on this machine."""
        done = subprocess.run(
            [*MLOPS, command, self.name, "--local", "--json", *arguments],
            cwd=self.folder,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def state(self, execution_id: str = "") -> dict[str, Any]:
        """The execution in `mlops status`; the newest by default."""
        executions: list[dict[str, Any]] = self.mlops("status")["executions"]
        return next(one for one in executions if one["execution_id"].startswith(execution_id))


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        yield Project(Path(folder), monkeypatch)


def kept(process: subprocess.Popen[str], project: Project) -> str:
    """Read what a rehearsal prints, until it is kept; give the URL of its local AWS."""
    assert process.stdout is not None
    url, seen = "", []
    for line in process.stdout:
        seen.append(line)
        if match := re.search(r"mlops status (\S+) --local", line):
            project.name = match[1]
        if match := re.search(r"AWS_ENDPOINT_URL=(\S+)", line):
            url = match[1]
        if line.startswith(KEPT):
            return url
    raise AssertionError(f"it ended before: {seen}")


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End the process when the test fails: what is kept runs for ever."""
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def saved() -> float:
    """When the snapshot was taken; 0 while there is none."""
    return max((about["saved"] for about in found().values() if about), default=0.0)


def test_a_kept_rehearsal_that_was_killed_goes_on_at_its_approval(project: Project) -> None:
    with ended(project.start("--keep", "--approve")) as process:
        url = kept(process, project)
        upload = project.mlops("upload", str(TRAINING))
        execution = wait_until(lambda: (one := project.state()) and one["evidence"] and one["execution_id"])
        waits = project.mlops("status")
        before = saved()
        # What was saved last may have it already.
        with contextlib.suppress(AssertionError):
            wait_until(lambda: saved() > before, 10)
        started = descendants(process.pid)
        process.kill()
        assert wait_until(lambda: not alive(started))
    assert upload["key"]

    with ended(project.start("--resume")) as process:
        assert kept(process, project) == url
        assert project.mlops("status")["endpoints"] == waits["endpoints"]
        assert len(project.mlops("releases")) == 1
        wait_until(lambda: project.state(execution)["evidence"])
        project.mlops("approve")
        assert wait_until(lambda: (one := project.state(execution)["status"]) != "InProgress" and one) == "Succeeded"
        assert [one["release"] for one in project.mlops("releases")] == [2, 1]
        os.killpg(process.pid, signal.SIGINT)
        said, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode, errors) == (0, "")
    assert "It is kept as it was at " in said
    assert nothing_left(project.scratch)

    with ended(project.start("--resume")) as process:
        kept(process, project)
        assert [one["release"] for one in project.mlops("releases")] == [2, 1]
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)
