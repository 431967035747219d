"""What holds for every function: its form, its imports, and that it always reports and never tells a secret."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import handler_kit

if TYPE_CHECKING:
    from collections.abc import Callable

LAMBDAS = Path(handler_kit.__file__).parents[1]
FUNCTIONS = sorted(path.name for path in LAMBDAS.iterdir() if (path / "handler.py").is_file())
STEPS = {
    "check_dataset": "check_dataset",
    "train_model": "train_model",
    "register_model": "register_model",
    "evaluate_model": "evaluate_model",
    "smoke_test": "smoke_test",
    "gather_evidence": "gather_evidence",
    "record_decision": "record_approval",
    "record_release": "record_release",
    "retire_dev": "await_dev",
    "place_variants": "place_variants",
    "run_evaluation": "run_evaluation",
    "batch_smoke_test": "batch_smoke_test",
    "watch_traffic": "make_baseline",
}
# What stands in one file, as it has under about 90 lines in all.
SHORT = ["start_newest", "stop_training"]
VERBS = {
    "abort_ab_test": "abort",
    "answer_training": "answer",
    "batch_smoke_test": "smoke",
    "check_dataset": "check",
    "evaluate_model": "evaluate",
    "gather_evidence": "gather",
    "guard_destroy": "guard",
    "judge_ab_test": "judge",
    "notify_people": "notify",
    "place_variants": "place",
    "record_batch": "record",
    "record_decision": "record",
    "record_release": "record",
    "register_model": "register",
    "retire_dev": "retire",
    "retrain": "retrain",
    "run_evaluation": "run",
    "seed_repository": "seed",
    "smoke_test": "smoke",
    "start_batch": "start",
    "start_retraining": "start",
    "train_model": "train",
    "watch_traffic": "watch",
}


@pytest.fixture(params=STEPS, ids=str)
def run_step(request: pytest.FixtureRequest, load_event: Callable[..., dict[str, Any]]) -> Callable[[], None]:
    handler = importlib.import_module(f"{request.param}.handler").handler
    return lambda: handler(load_event(STEPS[request.param]), None)


def secrets(load_event: Callable[..., dict[str, Any]]) -> list[str]:
    found = load_event("register_model")["CodePipeline.job"]["data"]["artifactCredentials"].values()
    return [form for secret in found for form in (secret, json.dumps(secret)[1:-1])]


def test_no_function_is_forgotten_here() -> None:
    assert sorted([*VERBS, *SHORT]) == FUNCTIONS


@pytest.mark.parametrize("function", VERBS)
def test_every_folder_has_the_same_files(function: str) -> None:
    expected = {"__init__.py", "handler.py", "settings.py", f"{VERBS[function]}.py"}
    assert expected <= {path.name for path in (LAMBDAS / function).iterdir()}


@pytest.mark.parametrize("function", SHORT)
def test_a_short_function_is_one_file(function: str) -> None:
    files = {path.name: path for path in (LAMBDAS / function).glob("*.py")}
    assert set(files) == {"__init__.py", "handler.py"}
    assert len(files["handler.py"].read_text().splitlines()) <= 90


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_cold_start_loads_boto3_and_the_functions_own_code(function: str) -> None:
    program = (
        "import sys, boto3, botocore.config; before = set(sys.modules); "
        f"import {function}.handler; print(*set(sys.modules) - before)"
    )
    environment = {**os.environ, "PYTHONPATH": str(LAMBDAS)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    # The quantiles of a normal distribution.
    allowed = {"_statistics", "fractions", "statistics"} if function == "watch_traffic" else set()
    assert {name.split(".")[0] for name in done.stdout.split()} - allowed == {function, "handler_kit"}


@pytest.mark.parametrize("path", sorted(LAMBDAS.rglob("*.py")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_imports_stay_within_the_function_and_the_runtime(path: Path) -> None:
    tree = ast.walk(ast.parse(path.read_text()))
    imported = set()
    for node in tree:
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).partition(".")[0])
    assert imported <= sys.stdlib_module_names | {"boto3", "botocore", "handler_kit", path.parent.name}


def test_a_missing_setting_is_reported_by_name(run_step: Callable[[], None], reports: Any) -> None:
    run_step()
    assert reports.kind == "ConfigurationError"
    assert reports.message.startswith("environment variable ")


def test_no_secret_is_told_when_a_step_fails(
    run_step: Callable[[], None], reports: Any, load_event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run_step()
    told = "".join(capsys.readouterr()) + reports.message
    assert "action failed" in told
    assert not [secret for secret in secrets(load_event) if secret in told]


def test_57_no_secret_is_told_when_a_step_breaks(
    run_step: Callable[[], None],
    reports: Any,
    load_event: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError(f"broken: {load_event('register_model')}")

    monkeypatch.setattr("handler_kit.settings.SettingsBase.from_env", breaks)
    run_step()
    told = "".join(capsys.readouterr()) + reports.message
    assert reports.message.startswith("RuntimeError: broken")
    assert not [secret for secret in secrets(load_event) if secret in told]


def test_unknown_parameters_are_reported_by_name(
    monkeypatch: pytest.MonkeyPatch, reports: Any, load_event: Any
) -> None:
    importlib.import_module("evaluate_model.handler").handler(
        load_event("evaluate_model", params={"surprise": "1"}), None
    )
    assert reports.message == "UserParameters key surprise: unknown"
