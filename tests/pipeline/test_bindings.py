"""One seam names the CDK; cdktf is the promise, and cdktn synthesizes the same resources."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from synthesis import ROOT

from mlops_constructs import _cdk
from mlops_constructs._jsii_node import packaged_node

PACKAGE = ROOT / "mlops_constructs"
NAMES = {*_cdk.BINDINGS, *_cdk.BINDINGS.values()}


def bindings_named(source: str) -> set[str]:
    """Give the bindings that Python source imports or names in a string."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Not `cdktf.json` and `cdktf.out`: the CDK's files keep their names with either binding.
            found |= {node.value, node.value.split("_provider_aws.")[0] + "_provider_aws"}
    return found & NAMES


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_seam_names_a_binding(path: Path) -> None:
    named = bindings_named(path.read_text())
    assert named == (NAMES if path == PACKAGE / "_cdk.py" else set())


@pytest.mark.parametrize(
    "source",
    ["import cdktf", "from cdktf_cdktf_provider_aws.kms_key import KmsKey", "load('cdktn_provider_aws.kms_key')"],
)
def test_the_walk_sees_a_binding(source: str) -> None:
    assert bindings_named(source)


def test_cdktf_is_taken_where_it_is_installed() -> None:
    assert _cdk.choose(None) == "cdktf"


def test_another_word_in_the_variable_is_refused() -> None:
    with pytest.raises(ImportError, match="MLOPS_CDK=terraform: must be cdktf or cdktn"):
        _cdk.choose("terraform")


def test_bindings_that_are_asked_for_and_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cdk, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install cdktn cdktn-provider-aws"):
        _cdk.choose("cdktn")
    with pytest.raises(ImportError, match="pip install cdktf cdktf-cdktf-provider-aws"):
        _cdk.choose(None)


@pytest.fixture(scope="module")
def cdktn_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of a new environment that has cdktn, in the version of our extra, and not cdktf."""
    declared = [Requirement(line) for line in requires("mlops-constructs") or ()]
    wanted = [
        f"{one.name}{one.specifier}"
        for one in declared
        if one.marker is not None and one.marker.evaluate({"extra": "cdktn"}) and not one.marker.evaluate({"extra": ""})
    ]
    assert len(wanted) == len(_cdk.BINDINGS)
    environment = tmp_path_factory.mktemp("cdktn") / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = environment / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", *wanted]
    subprocess.run(install, check=True, capture_output=True)
    return python


def synthesize(program: Path, python: Path, output: Path, **environment: str) -> dict[str, object]:
    done = subprocess.run(
        [str(python), str(program)],
        cwd=ROOT,
        env={**os.environ, "JSII_NODE": str(packaged_node()), "CDKTF_OUTDIR": str(output), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, object] = json.loads((output / "stacks" / "iris" / "cdk.tf.json").read_text())
    return document


def resources(document: dict[str, object]) -> object:
    """Give what Terraform makes and shows, with version 6's name for the region's name."""
    text = json.dumps({part: document[part] for part in ("resource", "data", "output")}, sort_keys=True)
    return json.loads(re.sub(r"(data\.aws_region\.\w+)\.name\b", r"\1.region", text))


def aws_version(document: dict[str, object]) -> str:
    terraform = document["terraform"]
    assert isinstance(terraform, dict)
    version: str = terraform["required_providers"]["aws"]["version"]
    return version


@pytest.mark.servers
@pytest.mark.cdktn
@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PYTHONPATH": str(ROOT)}, id="only cdktn installed"),
        pytest.param(
            {"PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")]), _cdk.SWITCH: "cdktn"},
            id="both installed and cdktn chosen",
        ),
    ],
)
def test_cdktn_synthesizes_the_same_resources(cdktn_python: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    main = (ROOT / "main.py").read_text()
    program = tmp_path / "main.py"
    # All that a user of cdktn writes otherwise.
    program.write_text(main.replace("from cdktf import", "from cdktn import"))
    assert program.read_text() != main
    ours = synthesize(program, cdktn_python, tmp_path / "cdktn", **environment)
    promised = synthesize(ROOT / "main.py", Path(sys.executable), tmp_path / "cdktf")
    assert (aws_version(promised).split(".")[0], aws_version(ours).split(".")[0]) == ("5", "6")
    assert resources(ours) == resources(promised)


@pytest.mark.servers
@pytest.mark.cdktn
def test_only_the_javascript_root_of_cdktn_is_made_lazy(cdktn_python: Path) -> None:
    program = f"from mlops_constructs._fast_import import make_lazy; print(make_lazy('{_cdk.BINDINGS['cdktn']}'))"
    environment = {**os.environ, "JSII_NODE": str(packaged_node()), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(cdktn_python), "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(False, True)"
