"""What a container needs is there when its pipeline builds it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.rehearsal.early_builds import EarlyBuilds

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = "FROM python:3.12\nCOPY train /opt/program/train\n"
MADE = "creating a virtual environment (kept for the next run)"


def asset(stack: Path, name: str, files: dict[str, str]) -> None:
    path = stack / "assets" / name / f"{name}.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as bundle:
        for file, text in files.items():
            member = zipfile.ZipInfo(file)
            member.external_attr = 0o100755 << 16
            bundle.writestr(member, text)


@pytest.mark.parametrize("early", [True, False])
def test_the_environment_is_made_before_the_pipeline_builds(
    early: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stack, context, lines = tmp_path / "stack", tmp_path / "context", list[str]()
    asset(stack, "function", {"handler.py": ""})
    asset(stack, "broken", {"Dockerfile": "COPY nothing /\n"})
    asset(stack, "container", {"Dockerfile": DOCKERFILE, "train": "#!/bin/sh\n"})
    with zipfile.ZipFile(stack / "assets" / "container" / "container.zip") as bundle:
        bundle.extractall(context)
    (context / "train").chmod(0o755)
    with LocalAws(docker=False) as aws:
        builds = EarlyBuilds(aws, stack)
        if early:
            builds.start()
            builds.join()
        aws.containers.runtime.build(context, lines.append)
    # The pipeline's own build says all that it does.
    assert any("Dockerfile line 1: the base image" in line for line in lines)
    assert (MADE in lines) is not early
