"""Python, the packages, and their bytecode."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import _cdk
from .finding import Finding

# https://devguide.python.org/versions/
END_OF_LIFE = {
    (3, 10): date(2026, 10, 31),
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
}
# A pipeline imports the bindings' modules one by one; a few of them represent all.
_SAMPLES = ("provider", "s3_bucket", "lambda_function", "codepipeline")


def examine_python(today: date) -> Finding:
    """Check the version of Python."""
    detail = f"{platform.python_version()} ({sys.executable})"
    end = END_OF_LIFE.get(sys.version_info[:2])
    if end is not None and end < today:
        return Finding("Python", "warning", f"{detail}: past its end of life, {end}", "Use a newer Python.")
    return Finding("Python", "good", detail)


def examine_packages() -> Finding:
    """Report the bindings and their versions."""
    names = (_cdk.CORE, _cdk.AWS.replace("_", "-"), "constructs", "jsii")
    try:
        detail = ", ".join(f"{name} {version(name)}" for name in names)
    except PackageNotFoundError as error:
        return Finding("CDK", "broken", f"{error.name} is not installed", "pip install mlops-constructs again.")
    return Finding("CDK", "good", detail)


def examine_bytecode() -> Finding:
    """Check that Python need not compile the generated modules at every start."""
    thing, sources = "byte-code", _sources()
    stale = [source for source in sources if not _is_compiled(source)]
    if not stale:
        return Finding(thing, "good", "there")
    folder = sources[0].parents[1]
    if os.environ.get("PYTHONDONTWRITEBYTECODE") or not os.access(folder, os.W_OK):
        remedy = f"Run {sys.executable} -m compileall -q {folder} once, as the owner of that folder."
        return Finding(thing, "warning", "missing, and Python may not write it: every synth compiles it again", remedy)
    return Finding(thing, "good", "will be written by the first synth")


def _sources() -> list[Path]:
    spec = importlib.util.find_spec(_cdk.AWS)
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else Path()
    return [folder / name / "__init__.py" for name in _SAMPLES]


def _is_compiled(source: Path) -> bool:
    compiled = Path(importlib.util.cache_from_source(str(source)))
    try:
        header = compiled.read_bytes()[:16]
        about = source.stat()
    except OSError:
        return False
    flags = int.from_bytes(header[4:8], "little")
    # A file that is validated by its hash is as good as one that is validated by time and size.
    if header[:4] != importlib.util.MAGIC_NUMBER or flags:
        return header[:4] == importlib.util.MAGIC_NUMBER
    stamped = (int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:16], "little"))
    return stamped == (int(about.st_mtime) & 0xFFFFFFFF, about.st_size & 0xFFFFFFFF)
