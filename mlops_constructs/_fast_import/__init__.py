"""Load the AWS provider bindings only as far as they are used.

The bindings of CDK for Terraform import about 2,100 modules in their Python root, and their JavaScript root evaluates
as many. Newer bindings ship a lazy Python root; this package is a backport for the ones that do not:

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
import re
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


def make_lazy(package: str) -> tuple[bool, bool]:
    """Make the bindings package ``package`` lazy; tell whether its Python and its JavaScript root were changed."""
    if os.environ.get(OPT_OUT) == "0" or package in sys.modules:
        return False, False
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return False, False
    eager = _has_eager_root(spec)
    if eager:
        sys.modules[package] = _lazy_root(spec)
    assembly = Path(spec.submodule_search_locations[0]) / "_jsii" / "__init__.py"
    if not assembly.is_file():
        return eager, False
    _install_javascript_hook()
    if eager:
        _fill_name_map(package, assembly)
    return eager, True


def _has_eager_root(spec: ModuleSpec) -> bool:
    if spec.origin is None:
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


def _fill_name_map(package: str, assembly: Path) -> None:
    """Tell jsii which module to import for an object whose class is not loaded yet, as newer bindings do."""
    from jsii import _reference_map

    names = getattr(_reference_map, "_submodule_fqn_map", None)
    declared = re.search(r'JSIIAssembly\.load\(\s*"([^"]+)"', assembly.read_text(encoding="utf-8"))
    if names is None or declared is None:
        return
    for folder in os.scandir(assembly.parents[1]):
        if not folder.name.startswith("_"):
            first, *others = folder.name.split("_")
            camel = first + "".join(map(str.capitalize, others))
            names[f"{declared[1]}.{camel}"] = f"{package}.{folder.name}"


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
