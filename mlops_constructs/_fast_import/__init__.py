"""Load the AWS provider bindings only as far as they are used.

``cdktf_cdktf_provider_aws`` imports about 2,100 modules in its Python root, and its JavaScript root evaluates
as many. Newer bindings ship lazy roots; this package is a backport for the ones that do not:

- Python: the root package is put into ``sys.modules`` unexecuted, with PEP 562 ``__getattr__`` and ``__dir__``.
- JavaScript: a jsii assembly of our own, one small file, is loaded into the running kernel. It teaches that Node
  process to load the provider's index lazily. Nothing is changed on disk and no environment variable is set, so
  it works whatever was imported before, as long as the provider itself was not.

Both do nothing where the root is already lazy, already loaded, or of a layout they do not know.
``MLOPS_FAST_IMPORT=0`` turns both off.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import os
import pkgutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

OPT_OUT = "MLOPS_FAST_IMPORT"
_ASSEMBLY = "mlops-constructs-lazy-root"
_VERSION = "1.0.0"


def make_lazy(package: str) -> bool:
    """Make the bindings package ``package`` lazy; give False where it was left as it is."""
    if os.environ.get(OPT_OUT) == "0" or package in sys.modules:
        return False
    spec = importlib.util.find_spec(package)
    if spec is None or not _has_eager_root(spec):
        return False
    sys.modules[package] = _lazy_root(spec)
    _install_javascript_hook()
    return True


def _has_eager_root(spec: ModuleSpec) -> bool:
    if spec.origin is None or not spec.submodule_search_locations:
        return False
    source = Path(spec.origin).read_text(encoding="utf-8")
    return "def __getattr__" not in source and "\nfrom . import " in source


def _lazy_root(spec: ModuleSpec) -> ModuleType:
    root = importlib.util.module_from_spec(spec)
    locations = list(spec.submodule_search_locations or ())

    def submodules() -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(locations))

    def __getattr__(name: str) -> ModuleType:
        if name.startswith("_"):
            raise AttributeError(f"module {spec.name!r} has no attribute {name!r}")
        try:
            return importlib.import_module(f"{spec.name}.{name}")
        except ModuleNotFoundError:
            raise AttributeError(f"module {spec.name!r} has no attribute {name!r}") from None

    root.__dict__["__getattr__"] = __getattr__
    root.__dict__["__dir__"] = submodules
    return root


def _install_javascript_hook() -> None:
    """Run ``lazy_root.js`` inside jsii's Node process, by loading it there as an assembly without types."""
    from jsii import _runtime  # the only way to the one kernel of this process

    with tempfile.TemporaryDirectory(prefix="mlops-constructs-") as folder:
        tarball = Path(folder) / f"{_ASSEMBLY}.tgz"
        tarball.write_bytes(_assembly())
        _runtime.kernel.load(_ASSEMBLY, _VERSION, str(tarball))


def _assembly() -> bytes:
    """Give the npm tarball of a jsii assembly that holds ``lazy_root.js`` and declares no types."""
    about = {"name": _ASSEMBLY, "version": _VERSION, "license": "Apache-2.0"}
    manifest = {
        **about,
        "schema": "jsii/0.10.0",
        "jsiiVersion": "5.0.0",
        "description": "Loads a provider's index lazily",
        "homepage": "",
        "author": {"name": "mlops-constructs", "roles": ["author"]},
        "repository": {"type": "git", "url": ""},
        "targets": {"js": {"npm": _ASSEMBLY}},
        "types": {},
        "fingerprint": "none",
    }
    files = {
        "package/package.json": json.dumps({**about, "main": "index.js"}),
        "package/.jsii": json.dumps(manifest),
        "package/index.js": (Path(__file__).parent / "lazy_root.js").read_text(encoding="utf-8"),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            data = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
