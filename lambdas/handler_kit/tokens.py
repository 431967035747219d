"""Continuation tokens: what a waiting step must remember, as versioned JSON of at most 2048 characters.

A token comes back through CodePipeline, so it is checked like any other input.
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
CLOCK_SLACK_SECONDS = 600

_JOB_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Token:
    """What a step waits for.

    Attributes:
        awaits: Its name.
        deadline: Until when, in seconds since 1970.
        asked_by: The CodePipeline job that first asked for it, while nobody knows whether it was made; then empty.
    """

    awaits: str
    deadline: int
    asked_by: str = ""

    def encode(self) -> str:
        """The text to hand to CodePipeline."""
        asked = {"asked_by": self.asked_by} if self.asked_by else {}
        return json.dumps({"v": VERSION, "awaits": self.awaits, "deadline": self.deadline, **asked})


def decode(text: str, *, is_ours: Callable[[str], bool], latest_deadline: int) -> Token:
    """Read a token; ``is_ours`` says whether a name is one this step may await.

    ``latest_deadline`` is what a token written now would have; two containers' clocks may differ a little.
    Raises StepError when the token is not one that this step wrote.
    """
    try:
        return _decode(text, is_ours, latest_deadline + CLOCK_SLACK_SECONDS)
    except (ValueError, RecursionError) as error:
        raise StepError(f"The continuation token is not one that this step wrote ({error}). Retry the stage.") from None


def _decode(text: str, is_ours: Callable[[str], bool], latest_deadline: int) -> Token:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"longer than {MAX_CHARACTERS} characters")
    fields = json.loads(text)
    if not isinstance(fields, dict) or fields.keys() - {"asked_by"} != {"v", "awaits", "deadline"}:
        raise ValueError("its fields must be v, awaits, deadline and perhaps asked_by")
    version, awaits, deadline = fields["v"], fields["awaits"], fields["deadline"]
    if type(version) is not int or version != VERSION:
        raise ValueError(f"its version must be {VERSION}")
    if type(deadline) is not int or not 0 <= deadline <= latest_deadline:
        raise ValueError("its deadline is none that this step sets")
    if not isinstance(awaits, str) or not is_ours(awaits):
        raise ValueError("it awaits something that this step did not start")
    asked_by = fields.get("asked_by", "")
    if not isinstance(asked_by, str) or ("asked_by" in fields and not _JOB_ID.fullmatch(asked_by)):
        raise ValueError("its asked_by is no CodePipeline job")
    return Token(awaits, deadline, asked_by)
