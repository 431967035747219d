"""`mlops rehearse`, whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from leftovers import nothing_left
from rehearse_process import start

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.terraform
def test_a_data_set_travels_to_a_production_endpoint_that_answers(scratch: Path) -> None:
    (scratch / "local-aws-1" / "terraform").mkdir(parents=True)
    (scratch / "local-aws-1" / ".local-aws-alive").touch()  # as a rehearsal that was killed leaves it
    process = start(scratch, "--approve", "--json")
    output, progress = process.communicate(timeout=1200)
    assert process.returncode == 0, progress
    result = json.loads(output)
    assert result["rows"] == 30
    assert result["metrics"]["accuracy"] >= 0.8
    assert "Terraform | second plan | succeeded" in progress
    assert "no changes" in progress
    assert "Image | container runtime | succeeded" in progress
    assert "nothing is left" in progress
    assert nothing_left(scratch)
