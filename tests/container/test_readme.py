"""The commands of the container's README, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE_SECONDS


def test_commands_do_what_is_written_below_them(container: Path, tmp_path: Path, free_port: int) -> None:
    readme = (container / "README.md").read_text()
    setting_up, asking = re.findall(r"<!-- executed -->\n```sh\n(.*?)```", readme, re.DOTALL)
    expected = [line.removeprefix("# ") for line in asking.splitlines() if line.startswith("# ")]
    script = f"set -e\n{setting_up}echo ready\n{asking}kill %1\nwait %1\n".replace("8080", str(free_port))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=container,
        env={
            **os.environ,
            "work": str(tmp_path),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "SAGEMAKER_BIND_TO_PORT": str(free_port),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.partition("ready\n")[2].splitlines() == expected
