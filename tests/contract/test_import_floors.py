"""Arrows run down only: the floors of the design, walked."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mlops_constructs"
# Part -> what it may import of this package. A part may always import itself, unless said otherwise below.
MAY_IMPORT = {
    "errors": set(),
    "config": {"errors"},
    "_payload": {"errors"},
    "_jsii_node": set(),
    "_fast_import": set(),
    "_cdk": set(),
    "provider": {"_cdk", "_fast_import", "_jsii_node"},
    "_aws": {"provider", "_cdk", "_payload", "config", "errors"},
    "stages": {"_aws", "provider", "_cdk", "_payload", "config", "errors"},
    "_parts": {"stages", "_aws", "config"},
    "_delivery": {"_parts", "stages", "_aws", "config"},
    "pipeline": {"_delivery", "_parts", "stages", "_aws", "provider", "_cdk", "config", "errors"},
    "local_aws": {"errors"},
    "rehearsal": {"local_aws", "errors"},
    "doctor": {"_cdk", "_jsii_node", "local_aws", "rehearsal", "errors"},
    "preflight": {"doctor", "errors"},
    "cli": {"pipeline", "local_aws", "rehearsal", "doctor", "preflight", "_payload", "_jsii_node", "errors"},
    "__init__": {"pipeline", "config", "errors", "_jsii_node"},
    "__main__": {"cli"},
}
PURE = {"config", "errors", "_payload"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Give the absolute names of the modules that a file imports, wherever in the file."""
    package = ["mlops_constructs", *path.relative_to(PACKAGE).parent.parts] if PACKAGE in path.parents else []
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


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
    bad = PACKAGE / "config" / "algorithm.py"
    assert "mlops_constructs.errors" in imports(bad)
