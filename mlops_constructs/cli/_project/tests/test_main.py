"""The stack of main.py, synthesized as `cdktf deploy` does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def test_the_stack_has_a_pipeline_with_an_approval(tmp_path: Path) -> None:
    environment = {**os.environ, "CDKTF_OUTDIR": str(tmp_path)}
    subprocess.run([sys.executable, "main.py"], cwd=PROJECT, env=environment, check=True)
    (stack,) = tmp_path.glob("stacks/*/cdk.tf.json")
    pipelines = json.loads(stack.read_text(encoding="utf-8"))["resource"]["aws_codepipeline"].values()
    assert "Approve" in [stage["name"] for pipeline in pipelines for stage in pipeline["stage"]]
