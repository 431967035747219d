"""mlops doctor, on this machine and on machines that lack something."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from mlops_constructs._jsii_node import packaged_node
from mlops_constructs.doctor import Finding
from mlops_constructs.doctor.jsii_cache import cache_root, examine_jsii
from mlops_constructs.doctor.node import examine_node
from mlops_constructs.doctor.python import END_OF_LIFE, examine_bytecode, examine_python
from mlops_constructs.doctor.terraform import examine_provider, examine_terraform, provider_version

TODAY = date(2026, 11, 25)
pytestmark = pytest.mark.servers


def doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlops_constructs", "doctor", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def program(folder: Path, name: str, script: str) -> Path:
    """Write an executable shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_ready_machine_is_told_so() -> None:
    done = doctor()
    assert done.returncode == 0, done.stdout
    assert "broken" not in done.stdout
    assert "jsii runtime index: " in done.stdout


def test_a_machine_without_terraform_is_told_what_to_install(tmp_path: Path) -> None:
    done = doctor("--json", PATH=str(tmp_path))
    assert done.returncode == 1
    findings = {finding["thing"]: finding for finding in json.loads(done.stdout)}
    assert findings["Terraform"]["state"] == "broken"
    assert "Install Terraform 1.5 or newer" in findings["Terraform"]["remedy"]
    assert [thing for thing, finding in findings.items() if finding["state"] == "broken"] == ["Terraform"]


def test_opentofu_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "tofu", 'echo \'{"terraform_version": "1.9.0"}\'')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert examine_terraform() == Finding("Terraform", "good", f"1.9.0 ({tmp_path / 'tofu'})")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('echo \'{"terraform_version": "1.4.7"}\'', "1.4.7"),
        ("echo no such command", "could not be read"),
        ("exit 1", "could not be read"),
    ],
)
def test_a_terraform_that_will_not_do_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    program(tmp_path, "terraform", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = examine_terraform()
    assert (finding.state, bool(finding.remedy)) == ("broken", True)
    assert reason in finding.detail


@pytest.mark.parametrize(
    ("script", "state", "reason"),
    [
        ("echo v24.19.0", "good", "v24.19.0"),
        ("echo v20.20.2", "warning", "past its end of life, 2026-04-30"),
        ("echo v23.1.0", "warning", "past its end of life"),
        ("echo v16.0.0", "broken", "too old"),
        ("echo hello", "broken", "said hello"),
        ("echo segmentation fault >&2; exit 139", "broken", "ended with 139 and said segmentation fault"),
    ],
)
def test_the_node_that_jsii_would_run_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, state: str, reason: str
) -> None:
    monkeypatch.setenv("JSII_NODE", str(program(tmp_path, "node", script)))
    finding = examine_node(TODAY)
    assert (finding.state, bool(finding.remedy)) == (state, state != "good")
    assert reason in finding.detail


def test_a_node_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSII_NODE", str(tmp_path / "missing"))
    finding = examine_node(TODAY)
    assert finding.state == "broken"
    assert str(tmp_path / "missing") in finding.detail


def test_the_packaged_node_is_taken_where_none_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JSII_NODE", raising=False)
    assert str(packaged_node()) in examine_node(TODAY).detail


@pytest.mark.parametrize(("today", "state"), [(date(2000, 1, 1), "good"), (date(2100, 1, 1), "warning")])
def test_a_python_is_judged_by_its_end_of_life(today: date, state: str) -> None:
    assert sys.version_info[:2] in END_OF_LIFE
    assert examine_python(today).state == state


def test_a_cache_that_others_may_write_is_told_with_jsiis_own_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JSII_RUNTIME_PACKAGE_CACHE_ROOT", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    monkeypatch.setenv("HOME", str(home))
    (finding,) = examine_jsii(100)
    assert finding.state == "broken"
    assert "Cannot use the jsii package cache" in finding.detail
    assert "JSII_RUNTIME_PACKAGE_CACHE_ROOT" in finding.remedy


def test_a_folder_of_ones_own_is_taken_and_its_index_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(tmp_path / "cache"))
    cache, index = examine_jsii(200)
    assert (cache.state, index.state, index.detail) == ("good", "good", "built now")
    assert examine_jsii(200)[1].detail == "there"


def test_a_cache_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JSII_NODE", str(program(tmp_path, "node", "exec sleep 60")))
    (finding,) = examine_jsii(3)
    assert (finding.thing, finding.state) == ("jsii package cache", "broken")
    assert "did not end within 3 s" in finding.detail


def test_a_cache_that_is_switched_off_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSII_RUNTIME_PACKAGE_CACHE", "Disabled")
    (finding,) = examine_jsii(200)
    assert (finding.state, cache_root()) == ("warning", None)


def test_byte_code_that_python_may_not_write_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bindings = tmp_path / "cdktf_cdktf_provider_aws"
    for name in ("provider", "s3_bucket", "lambda_function", "codepipeline"):
        (bindings / name).mkdir(parents=True)
        (bindings / name / "__init__.py").write_text("")
    (bindings / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cdktf_cdktf_provider_aws", raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    finding = examine_bytecode()
    assert finding.state == "warning"
    assert f"-m compileall -q {bindings}" in finding.remedy
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(bindings)], check=True)
    assert examine_bytecode() == Finding("byte-code", "good", "there")


def test_the_provider_of_the_bindings_is_looked_for() -> None:
    assert provider_version() == "5.100.0"
    assert examine_provider().state == "good"


def test_a_provider_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_constructs.doctor.terraform.find_mirror", lambda version: None)
    monkeypatch.setattr("mlops_constructs.doctor.terraform._REGISTRY", "registry.invalid")
    finding = examine_provider()
    assert finding.state == "broken"
    assert "TF_PLUGIN_CACHE_DIR" in finding.remedy


def test_the_doctor_needs_no_rehearsal_extra(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "mlops_constructs", tmp_path / "mlops_constructs")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['moto'] = None\nsys.modules['rich'] = None\n")
    done = doctor(PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
