"""What Terraform says when it fails."""

from __future__ import annotations

import json
import signal
from typing import Any

from mlops_constructs.errors import RehearsalError


def failure(command: str, errors: list[str], exit_code: int) -> RehearsalError:
    """Return the error of a command that has failed."""
    if exit_code < 0:
        ended = signal.Signals(-exit_code).name
        errors = [*errors, f"  {ended} ended it, for want of memory for example: what it was doing is not in its state"]
    return RehearsalError(f"terraform {command} failed:\n" + "\n".join(errors or ["it gave no reason"]))


def errors_in(output: str) -> list[str]:
    """Return the errors in one JSON message or document, or the output itself where it is neither."""
    try:
        document = json.loads(output)
    except ValueError:
        return [output]
    diagnostics = [document.get("diagnostic"), *document.get("diagnostics", [])]
    return [_sentence(one) for one in diagnostics if one and one.get("severity") == "error"]


def _sentence(diagnostic: dict[str, Any]) -> str:
    address = diagnostic.get("address")
    place = f"{address}: " if address else ""
    detail = diagnostic.get("detail", "").strip()
    return f"  {place}{diagnostic['summary']}" + (f"\n    {detail}" if detail else "")
