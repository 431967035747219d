"""What the guard of a destroy relies on: Terraform writes new dependencies of a resource that does not change."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from mlops_constructs.rehearsal.terraform import find_program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform


def apply(folder: Path, *names: str) -> list[str]:
    """Apply a stack of these resources and one that depends on them; give its dependencies in the state."""
    guard = {"input": "{}", "depends_on": [f"terraform_data.{name}" for name in names]}
    resources = {**{name: {"input": name} for name in names}, "guard": guard}
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}))
    for command in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        subprocess.run([find_program(), *command], cwd=folder, check=True, capture_output=True)
    state = json.loads((folder / "terraform.tfstate").read_text())
    (one,) = [one for one in state["resources"] if one["name"] == "guard"]
    found: list[str] = one["instances"][0]["dependencies"]
    return found


def test_a_resource_that_is_added_or_removed_later_is_guarded_or_not(tmp_path: Path) -> None:
    assert apply(tmp_path, "first") == ["terraform_data.first"]
    assert apply(tmp_path, "first", "second") == ["terraform_data.first", "terraform_data.second"]
    assert apply(tmp_path, "second") == ["terraform_data.second"]
