"""The region that a synthesized stack is deployed to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def region_of(stack: Path) -> str:
    """Return the region of the stack's AWS provider, where it is a literal."""
    document = json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8"))
    providers = document.get("provider", {}).get("aws", [])
    regions = [provider.get("region", "") for provider in providers]
    return next((region for region in regions if region and "${" not in region), "us-east-1")
