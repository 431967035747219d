"""The notebook instance."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from synthesis import Synthesized, synth

import mlops_constructs
from mlops_constructs import Notebook

SCRIPT = Path(mlops_constructs.__file__).parent / "stages" / "notebook_on_start.sh"


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth()


def instance(stack: Synthesized) -> dict[str, Any]:
    return stack.one("aws_sagemaker_notebook_instance")


def test_imds_v2_no_root_own_key(stack: Synthesized) -> None:
    notebook = instance(stack)
    assert notebook["instance_metadata_service_configuration"] == {"minimum_instance_metadata_service_version": "2"}
    assert notebook["root_access"] == "Disabled"
    assert notebook["kms_key_id"].startswith("${aws_kms_key.")


def test_the_platform_is_left_to_aws(stack: Synthesized) -> None:
    assert "platform_identifier" not in instance(stack)


def test_it_stops_when_idle() -> None:
    stack = synth(notebook=Notebook(idle_timeout_minutes=30))
    script = stack.one("aws_sagemaker_notebook_instance_lifecycle_configuration")["on_start"]
    assert script.startswith("${base64encode(")
    assert "IDLE_SECONDS = 1800" in script
    assert len(script) < 16_384


def test_the_start_script_is_valid_shell_with_a_valid_program_in_it() -> None:
    script = SCRIPT.read_text().replace("@SECONDS@", "60")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    program = script.split("<<'PROGRAM'\n")[1].split("\nPROGRAM\n")[0]
    compile(program, "stop-when-idle", "exec")


def test_in_a_subnet_it_has_no_direct_internet() -> None:
    notebook = instance(synth(notebook=Notebook(subnet_id="subnet-1", security_group_ids=["sg-1"])))
    assert notebook["direct_internet_access"] == "Disabled"
    assert notebook["security_groups"] == ["sg-1"]


def test_without_a_subnet_it_has(stack: Synthesized) -> None:
    assert instance(stack)["direct_internet_access"] == "Enabled"


def test_none_leaves_it_out() -> None:
    stack = synth(notebook=None)
    assert stack.all("aws_sagemaker_notebook_instance") == {}
    assert stack.pipeline.notebook is None
