"""The document of a function: what was known when its archive was made, as JSON beside its code.

An environment variable may be a reference that Terraform resolves, and a function has 4 KB of them. A document holds
literals only, of any size, in the words of the API that they are for.
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
        """Read the document of the archive that this function runs from.

        Raises ConfigurationError when there is none, or its keys are others.
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
    """Lay what is known now over what was written: objects member by member, lists one after the other."""
    if isinstance(written, dict) and isinstance(known, dict):
        both = {name: merged(written[name], value) if name in written else value for name, value in known.items()}
        return {**written, **both}
    if isinstance(written, list) and isinstance(known, list):
        return [*written, *known]
    return known
