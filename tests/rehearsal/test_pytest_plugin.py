"""The pytest plugin, in projects of its own: a session has one local AWS, and this one may have others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rehearsal.centroids import write_centroids

ROOT = Path(__file__).resolve().parents[2]
# A local AWS without a stack in the place of the rehearsal: deploying takes Terraform.
CONFTEST = """
from types import SimpleNamespace
import pytest


@pytest.fixture(scope="session")
def rehearsal():
    from mlops_constructs.local_aws.local_aws import LocalAws

    with LocalAws(docker=False) as aws:
        yield SimpleNamespace(aws=aws)
"""
FAULTS = """
import json


def call(aws):
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = aws.client("iam")
    if not iam.list_roles()["Roles"]:
        iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)
    arn = f"arn:aws:iam::{aws.account_id}:role/role"
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    try:
        aws.client("sagemaker", keys).list_models()
    except Exception as error:
        return str(error)


def test_fired(local_aws, faults):
    faults.inject("refuse:sagemaker.ListModels:ThrottlingException")
    assert "ThrottlingException" in call(local_aws)


def test_never_fired(local_aws, faults):
    faults.inject("refuse:sagemaker.ListModels:ThrottlingException")
    faults.inject("kill:train_model:after=CreateTrainingJob")
    call(local_aws)


def test_failed_by_itself(faults):
    faults.inject("drop:Something")
    assert False, "its own reason"


def test_without_a_fault(local_aws):
    assert "ThrottlingException" not in call(local_aws)
"""
UNUSED = """
import sys


def test_nothing_is_imported_that_no_test_asks_for():
    for name in ("moto", "boto3", "cdktf", "werkzeug"):
        assert name not in sys.modules
    assert "mlops_constructs.pytest_plugin" in sys.modules
"""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # An environment that was made before the plugin does not announce it.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_test_whose_fault_has_not_happened_fails(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_faults.py").write_text(FAULTS)
    code, output = run(tmp_path)
    assert code == 1, output
    assert "2 failed, 2 passed" in output, output
    assert "these faults have not happened, so the test says nothing about them:" in output
    assert "\n  kill:train_model:after=CreateTrainingJob\n" in output
    assert "\n  refuse:sagemaker.ListModels" not in output
    assert "FAILED test_faults.py::test_never_fired" in output
    assert "its own reason" in output


def test_nothing_is_imported_before_a_test_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "test_unused.py").write_text(UNUSED)
    code, output = run(tmp_path)
    assert code == 0, output


@pytest.mark.terraform
def test_the_tests_of_a_project_release_and_inject_faults(tmp_path: Path) -> None:
    write_centroids(tmp_path / "container")
    shutil.copyfile(Path(__file__).with_name("plain_app.py"), tmp_path / "main.py")
    (tmp_path / "cdktf.json").write_text(
        json.dumps({"language": "python", "app": f"{sys.executable} main.py container", "projectId": "plain"})
    )
    shutil.copyfile(ROOT / "tests" / "examples" / "project_faults.py", tmp_path / "test_project.py")
    code, output = run(tmp_path)
    assert code == 0, output
    assert "3 passed" in output
