"""jsii's package cache, and the index in it that makes jsii start fast."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from .. import _cdk
from .._jsii_node import packaged_node
from .finding import Finding

_CACHE, _INDEX = "jsii package cache", "jsii runtime index"
_INDEX_FILE = ".jsii.runtime.v1.json"
# Loads the provider's assembly as a synth does, and waits until jsii has written the index of its types.
_PROBE = """
import sys, time
from pathlib import Path
from mlops_constructs.provider import AwsProvider
index, patience = Path(sys.argv[1]), float(sys.argv[2])
end = time.monotonic() + patience
while patience and time.monotonic() < end and not list(index.parent.glob(f"*/{index.name}")):
    time.sleep(0.2)
"""


def cache_root() -> Path | None:
    """Return the folder of the cache, or None where it is disabled."""
    if os.environ.get("JSII_RUNTIME_PACKAGE_CACHE", "").lower() == "disabled":
        return None
    told = os.environ.get("JSII_RUNTIME_PACKAGE_CACHE_ROOT")
    if told:
        return Path(told)
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        return Path(tempfile.gettempdir()) / f"aws-jsii-package-cache-{os.getuid()}"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "com.amazonaws.jsii" / "package-cache"
    return home / ".cache" / "aws" / "jsii" / "package-cache"


def examine_jsii(seconds: float) -> list[Finding]:
    """Load the provider's bindings as a synth does, in a separate process that is ended after ``seconds``."""
    root = cache_root()
    if root is None:
        reason = "disabled by JSII_RUNTIME_PACKAGE_CACHE: each synth unpacks 380 MB"
        return [Finding(_CACHE, "warning", reason, "unset JSII_RUNTIME_PACKAGE_CACHE."), *_loaded(None, seconds)]
    index = _index(root)
    there = _found(index)
    return _loaded(root, seconds) or [
        Finding(_CACHE, "good", str(root)),
        _index_finding(index, built_now=not there),
    ]


def _loaded(root: Path | None, seconds: float) -> list[Finding]:
    """Run the probe; return a finding when the bindings could not be loaded, otherwise nothing."""
    place = "a synth" if root is None else str(root)
    remedy = "Set JSII_RUNTIME_PACKAGE_CACHE_ROOT to a folder that only you can write to."
    index = Path(os.devnull) if root is None else _index(root)
    node = packaged_node()
    environment = {**os.environ, **({"JSII_NODE": str(node)} if node and "JSII_NODE" not in os.environ else {})}
    patience = 0.0 if root is None or _found(index) else seconds / 2
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, str(index), str(patience)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return [Finding(_CACHE, "broken", f"{place}: loading did not end within {seconds:.0f} s", remedy)]
    if done.returncode == 0:
        return []
    return [Finding(_CACHE, "broken", f"{place}: {_reason(done.stderr)}", remedy)]


def _reason(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    told = [line for line in lines if "Cannot use the jsii package cache" in line]
    return (told or lines or ["it gave no reason"])[-1]


def _index_finding(index: Path, *, built_now: bool) -> Finding:
    if not _found(index):
        remedy = "Run this command again; if it is still missing, empty the cache folder."
        return Finding(_INDEX, "warning", "missing: each synth takes a second and a half longer", remedy)
    return Finding(_INDEX, "good", "built now" if built_now else "there")


def _index(root: Path) -> Path:
    """Return the path of the provider's index, without the folder that is named after the package's digest."""
    package = _cdk.AWS.replace("_", "-")
    scope = "@" + _cdk.CORE
    return root / scope / "provider-aws" / version(package) / _INDEX_FILE


def _found(index: Path) -> bool:
    return any(index.parent.glob(f"*/{index.name}"))
