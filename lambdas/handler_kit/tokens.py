"""Continuation tokens: the state of a waiting action, as versioned JSON of at most 2048 characters.

CodePipeline returns a token to the action, so it is validated like any other input.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handler_kit.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 1
MAX_CHARACTERS = 2048
CLOCK_SLACK_SECONDS = 86_400

_JOB_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Token:
    """What an action waits for.

    Attributes:
        awaits: Name of the resource that it waits for.
        deadline: End of the wait, in seconds since 1970.
        asked_by: ID of the CodePipeline job that first requested the resource, as long as it is unknown whether it was
            created; empty afterwards.
    """

    awaits: str
    deadline: int
    asked_by: str = ""

    def encode(self) -> str:
        """The token as text for CodePipeline."""
        asked = {"asked_by": self.asked_by} if self.asked_by else {}
        return json.dumps({"v": VERSION, "awaits": self.awaits, "deadline": self.deadline, **asked})


def decode(text: str, *, is_ours: Callable[[str], bool], latest_deadline: int) -> Token:
    """Read a token; ``is_ours`` tells whether this action may wait for a name.

    ``latest_deadline`` is the deadline that a token written now would have; the clocks of two execution environments
    may differ by at most a day. Raises StepError when this action did not write the token.
    """
    try:
        return _decode(text, is_ours, latest_deadline + CLOCK_SLACK_SECONDS)
    except (ValueError, RecursionError) as error:
        raise StepError(f"This action did not write the continuation token ({error}). Retry the stage.") from None


def _decode(text: str, is_ours: Callable[[str], bool], latest_deadline: int) -> Token:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"longer than {MAX_CHARACTERS} characters")
    fields = json.loads(text)
    if not isinstance(fields, dict) or fields.keys() - {"asked_by"} != {"v", "awaits", "deadline"}:
        raise ValueError("its fields must be v, awaits, deadline and optionally asked_by")
    version, awaits, deadline = fields["v"], fields["awaits"], fields["deadline"]
    if type(version) is not int or version != VERSION:
        raise ValueError(f"its version must be {VERSION}")
    if type(deadline) is not int or not 0 <= deadline <= latest_deadline:
        raise ValueError("its deadline is not one that this action sets")
    if not isinstance(awaits, str) or not is_ours(awaits):
        raise ValueError("it waits for something that this action did not start")
    asked_by = fields.get("asked_by", "")
    if not isinstance(asked_by, str) or ("asked_by" in fields and not _JOB_ID.fullmatch(asked_by)):
        raise ValueError("its asked_by is not the ID of a CodePipeline job")
    return Token(awaits, deadline, asked_by)
