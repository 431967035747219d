"""Arrows run down only: the floors of the design, walked."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from contract.import_graph import circles, graph
from contract.import_graph import imports as imports_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mlops_constructs"
# Part -> what it may import of this package. A part may always import itself, unless said otherwise below.
MAY_IMPORT = {
    "errors": set(),
    "prices": set(),
    "config": {"errors"},
    "_payload": {"config", "errors"},
    "_script_source": {"_payload", "config"},
    "_jsii_node": set(),
    "_fast_import": set(),
    "_cdk": set(),
    "provider": {"_cdk", "_fast_import", "_jsii_node"},
    "_aws": {"provider", "_cdk", "_payload", "config", "prices", "errors"},
    "stages": {"_aws", "provider", "_cdk", "_payload", "_script_source", "config", "errors"},
    "_made": {"stages", "_aws", "config"},
    "_beside": {"stages", "_aws", "config"},
    "_parts": {"_beside", "_made", "stages", "_aws", "config"},
    "_delivery": {"_parts", "stages", "_aws", "config"},
    "_outputs": {"stages", "_cdk", "config"},
    "_grants": {"stages", "_aws", "provider"},
    "pipeline": {"_grants", "_outputs", "_delivery", "_parts", "stages", "_aws", "config"},
    "local_aws": {"errors"},
    "deployed": {"prices", "errors"},
    "rehearsal": {"deployed", "local_aws", "errors"},
    "doctor": {"_cdk", "_jsii_node", "local_aws", "rehearsal", "errors"},
    "preflight": {"doctor", "prices", "errors"},
    "cli": {
        "pipeline",
        "deployed",
        "local_aws",
        "rehearsal",
        "doctor",
        "preflight",
        "prices",
        "_payload",
        "_script_source",
        "config",
        "_jsii_node",
        "errors",
    },
    "__init__": {"pipeline", "config", "errors", "_jsii_node"},
    "pytest_plugin": {"cli", "rehearsal", "local_aws", "_payload"},
    "__main__": {"cli"},
}
PURE = {"config", "errors", "prices", "_payload", "_script_source"}


# Room of the local AWS -> the rooms that it may import.
_ACCOUNT = {"account", "clock", "errors", "hooks", "roles", "service"}
_JUDGED = {*_ACCOUNT, "access", "iam"}
ROOMS = {
    "__init__": set(),
    "errors": set(),
    "scratch": set(),
    "user_cache": {"errors"},
    "ports": {"user_cache"},
    "guardian_program": set(),
    "guardian": {"guardian_program", "scratch"},
    "processes": {"guardian"},
    "traffic": set(),
    "credentials": set(),
    "clients": {"credentials"},
    "clock": set(),
    "schedules": set(),
    "hooks": {"containers"},
    "moto_clock": {"clock"},
    "moto_app": {"moto_clock"},
    "access": {"clock", "errors", "iam"},
    "account": {"access", "clients", "clock", "hooks", "iam", "moto_app", "processes", "scratch"},
    "service": {"account"},
    "iam": set(),
    "roles": {"account", "service"},
    "job_log": {"account", "clock"},
    "log_groups": {"service"},
    "expiry": {"account", "service"},
    "validation": {"service"},
    "protocol": {"service", "validation"},
    "kept": {"user_cache"},
    "moto_operations": set(),
    "gateway": {
        *_ACCOUNT,
        *("access", "iam", "moto_app", "moto_operations", "protocol", "traffic"),
    },
    "containers": {"errors", "ports", "processes", "scratch", "user_cache"},
    "s3": _ACCOUNT,
    "ssm": _ACCOUNT,
    "service_quotas": _ACCOUNT,
    "resource_tags": _ACCOUNT,
    "application_autoscaling": {*_ACCOUNT, "schedules"},
    "budgets": _ACCOUNT,
    "cloudwatch": _JUDGED,
    "policy_simulator": {*_ACCOUNT, "iam"},
    "events": {*_JUDGED, "cloudwatch", "schedules"},
    "codecommit": _ACCOUNT,
    "connections": {*_ACCOUNT, "codecommit"},
    "ecr": {*_ACCOUNT, "containers"},
    "constraints": {*_ACCOUNT, "cloudwatch", "ecr", "schedules"},
    "lambda_": {*_JUDGED, "cloudwatch", "processes"},
    "cloudformation": _JUDGED,
    "codebuild": {*_JUDGED, "containers", "ecr", "job_log", "processes"},
    "sagemaker": {*_JUDGED, "cloudwatch", "containers", "ecr", "job_log", "service_quotas"},
    "codepipeline": {*_JUDGED, "codecommit", "connections", "lambda_"},
}
# What is saved is below the account, and what saves it is above.
ROOMS["snapshot"] = {"errors", "local_aws", "user_cache"}
ROOMS["local_aws"] = set(ROOMS)
ROOMS["faults"] = set(ROOMS)


def imports(path: Path) -> set[str]:
    return imports_of(path, PACKAGE)


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_the_floors_below(path: Path) -> None:
    part = part_of(path)
    known = {name.removesuffix(".py") for name in (child.name for child in PACKAGE.iterdir())}
    used = {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("mlops_constructs.") and name.split(".")[1] in known
    }
    assert used - MAY_IMPORT[part] - {part} == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(graph(PACKAGE)) == []


def test_a_circle_is_seen_wherever_the_import_stands(tmp_path: Path) -> None:
    package = tmp_path / "sample"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("from sample.above import thing")
    (package / "inner" / "__init__.py").write_text("")
    (package / "above.py").write_text("from sample.inner import below")
    (package / "beside.py").write_text("from sample.above import thing")
    (package / "inner" / "below.py").write_text(
        "if TYPE_CHECKING:\n    from ..above import thing\ndef function():\n    import sample.inner.lowest\n"
    )
    (package / "inner" / "lowest.py").write_text("")
    assert circles(graph(package)) == [["sample.above", "sample.inner.below"]]


LOCAL_AWS = sorted((PACKAGE / "local_aws").rglob("*.py"))


@pytest.mark.parametrize("path", LOCAL_AWS, ids=lambda path: "/".join(path.parts[-2:]))
def test_a_room_of_the_local_aws_imports_only_the_rooms_below(path: Path) -> None:
    room = path.relative_to(PACKAGE / "local_aws").parts[0].removesuffix(".py")
    start = "mlops_constructs.local_aws."
    used = {name.removeprefix(start).split(".")[0] for name in imports(path) if name.startswith(start)}
    assert used - ROOMS[room] - {room} == set()


def test_what_commands_share_imports_no_command() -> None:
    for path in (PACKAGE / "cli").glob("_[!_]*.py"):
        used = {name.split(".")[2] for name in imports(path) if name.startswith("mlops_constructs.cli.")}
        assert [name for name in used if not name.startswith("_")] == [], path.name


def test_the_local_aws_names_neither_us_nor_terraform() -> None:
    own = re.compile(r"mlops_constructs\.(local_aws|errors)\b|MlopsError|LocalAws")
    for path in LOCAL_AWS:
        assert not re.search(r"(?i)mlops|rehears|terraform", own.sub("", path.read_text())), path


def test_no_arn_has_its_partition_written_out() -> None:
    for folder in ("local_aws", "rehearsal"):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            tree = ast.parse(path.read_text())
            told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # documentation
            texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told)
            assert not any("arn:aws" in str(text.value) for text in texts), path


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE / "stages").parts[0].removesuffix(".py")


def test_stages_never_import_each_other() -> None:
    for path in (PACKAGE / "stages").rglob("*.py"):
        used = {name.split(".")[2] for name in imports(path) if name.startswith("mlops_constructs.stages.")}
        assert used <= {room_of(path)}, path


@pytest.mark.parametrize("path", [path for path in SOURCES if part_of(path) in PURE], ids=lambda path: path.stem)
def test_pure_parts_import_the_standard_library_only(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imports(path)} - {"mlops_constructs"} - set(sys.stdlib_module_names)
    assert foreign == set()


@pytest.mark.parametrize("path", sorted((ROOT / "lambdas").rglob("*.py")), ids=lambda path: "/".join(path.parts[-2:]))
def test_a_function_imports_the_standard_library_boto_and_itself(path: Path) -> None:
    allowed = {"boto3", "botocore", "handler_kit", path.parent.name, *sys.stdlib_module_names}
    assert {name.split(".")[0] for name in imports(path)} - allowed == set()


@pytest.mark.parametrize("path", sorted((ROOT / "container").rglob("*.py")), ids=lambda path: path.stem)
def test_the_container_imports_nothing_of_the_library(path: Path) -> None:
    assert not [name for name in imports(path) if name.startswith(("mlops_constructs", "boto"))]


def test_the_walk_sees_an_upward_import(tmp_path: Path) -> None:
    bad = PACKAGE / "config" / "_algorithm_fields.py"
    assert "mlops_constructs.errors" in imports(bad)
