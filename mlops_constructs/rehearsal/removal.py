"""Which pipelines of a stack delete what they made when the stack is destroyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def self_deleting(stack: Path) -> set[str]:
    """Return the names of the pipelines with ``removal="destroy"``, from the input of their guards."""
    document = json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8"))
    invocations = document.get("resource", {}).get("aws_lambda_invocation", {}).values()
    inputs = [json.loads(one["input"]) for one in invocations if one.get("lifecycle_scope") == "CRUD"]
    return {one["pipeline"] for one in inputs if "pipeline" in one and one.get("removal") == "destroy"}
