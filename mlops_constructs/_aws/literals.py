"""Text that Terraform leaves as it is."""

from __future__ import annotations

import json


def literal_json(value: object) -> str:
    """Write JSON whose ``${`` and ``%{`` Terraform leaves alone."""
    return json.dumps(value, separators=(",", ":")).replace("${", "$${").replace("%{", "%%{")
