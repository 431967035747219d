"""Text in which Terraform does not evaluate anything."""

from __future__ import annotations

import json


def literal_json(value: object) -> str:
    """Write JSON in which ``${`` and ``%{`` are escaped, so that Terraform does not evaluate them."""
    return json.dumps(value, separators=(",", ":")).replace("${", "$${").replace("%{", "%%{")
