"""The public surface is a list, and importing it is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_constructs

PACKAGE = Path(mlops_constructs.__file__).parent


def test_all_is_sorted_and_complete() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module not in (None, "__future__", "typing")
        for alias in node.names
        if alias.name != "use_packaged_node"
    }
    assert set(mlops_constructs.__all__) == imported
    assert mlops_constructs.__all__ == sorted(mlops_constructs.__all__)


@pytest.mark.parametrize("name", mlops_constructs.__all__)
def test_every_public_name_can_be_imported_and_is_documented(name: str) -> None:
    assert getattr(mlops_constructs, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        mlops_constructs.Nothing  # noqa: B018


def third_party(statement: str) -> set[str]:
    """Give the packages that a statement loads, beyond the standard library and a bare Python."""
    program = f"import sys; bare = set(sys.modules); {statement}; print(*set(sys.modules) - bare)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()} - set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    "statement",
    ["import mlops_constructs", "from mlops_constructs import Algorithm, Dataset", "import mlops_constructs.cli.main"],
)
def test_importing_loads_the_standard_library_and_ours(statement: str) -> None:
    assert third_party(statement) == {"mlops_constructs"}


def test_the_command_begins_before_anything_else_is_loaded() -> None:
    """Until then, Python itself answers a Ctrl-C, with a traceback."""
    program = "import mlops_constructs.cli, sys; print(*(one for one in sys.modules if one.startswith('mlops')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mlops_constructs", "mlops_constructs.cli"]


def test_the_construct_loads_what_it_is_made_of() -> None:
    loaded = third_party("from mlops_constructs import MLOpsPipeline")
    assert {"jsii", "cdktf"} <= loaded
    assert loaded & {"boto3", "botocore", "rich", "moto"} == set()


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
