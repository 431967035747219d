"""A container as in AWS's MLOps workshop, rehearsed to production. It installs 370 MB: see `make test-workshop`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rehearsal.workshop_container import write_workshop

from mlops_constructs.local_aws.containers.sandbox import sandbox_problem

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform
MLOPS = [sys.executable, "-m", "mlops_constructs"]
WANTED = "MLOPS_TEST_WORKSHOP"


def why_not() -> str | None:
    if not os.environ.get(WANTED):
        return f"{WANTED} is not set"
    return "java is not on PATH" if shutil.which("java") is None else sandbox_problem()


@pytest.mark.skipif(why_not() is not None, reason=f"multi-model-server cannot run: {why_not()}")
def test_multi_model_server_answers_in_production(tmp_path: Path) -> None:
    project = tmp_path / "workshop"
    subprocess.run([*MLOPS, "init", str(project)], check=True)
    shutil.rmtree(project / "container")
    write_workshop(project / "container")
    program = (project / "main.py").read_text()
    program = program.replace("dataset=Dataset()", "dataset=Dataset(), training=TRAINING")
    program = program.replace("import Algorithm, ", "import Algorithm, Training, ")
    definition = 'TRAINING = Training(metric_definitions={"validation:accuracy": "Score: ([0-9.]+)"})'
    (project / "main.py").write_text(program.replace("class Workshop", f"{definition}\n\n\nclass Workshop"))
    done = subprocess.run(
        [*MLOPS, "rehearse", "--approve", "--json", "--no-docker"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["rows"] == 30
    assert result["accuracy"] > 0.8
