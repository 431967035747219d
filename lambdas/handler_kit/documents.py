"""The document of a function: what was known when its archive was made, as JSON in the same archive.

An environment variable may be a reference that Terraform resolves, and a function can have 4 KB of them. A document
contains only literals, of any size, with the member names of the API that they are for.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from handler_kit.errors import ConfigurationError

DOCUMENT = "document.json"

RecordT = TypeVar("RecordT")


class DocumentBase:
    """Base of a function's ``Document``; the keys are the names of the fields."""

    @classmethod
    def read(cls: type[RecordT]) -> RecordT:
        """Read the document in the archive of this function.

        Raises ConfigurationError when there is none, or when its keys are not the names of the fields.
        """
        path = Path(os.environ["LAMBDA_TASK_ROOT"]) / DOCUMENT
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{DOCUMENT} of the function's archive cannot be read: {error}") from error
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        if not isinstance(values, dict) or values.keys() != known:
            raise ConfigurationError(f"{DOCUMENT} of the function's archive: must have {', '.join(sorted(known))}")
        return cls(**values)


def merged(written: Any, known: Any) -> Any:
    """Merge what is known now into what was written at synth: objects by member, lists by appending.

    Where both have a value, the one that is known now replaces the other.
    """
    if isinstance(written, dict) and isinstance(known, dict):
        both = {name: merged(written[name], value) if name in written else value for name, value in known.items()}
        return {**written, **both}
    if isinstance(written, list) and isinstance(known, list):
        return [*written, *known]
    return known
