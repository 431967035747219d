"""Compare synthesized documents; names of the programs generated from them. Imports nothing that starts Node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PYTHON_FILE, JAVASCRIPT_FILE = "plain.py", "plain.js"
COMPARED = ("provider", "data", "resource", "output")


def comparable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be equal: provider, data, resources and outputs, without cdktf's own metadata."""
    return {block: _without_metadata(document.get(block, {})) for block in COMPARED}


def _without_metadata(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_metadata(item) for key, item in value.items() if key != "//"}
    if isinstance(value, list):
        return [_without_metadata(item) for item in value]
    return value
