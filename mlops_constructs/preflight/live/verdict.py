"""How to distinguish a refusal from a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .answer import Verdict

    Verdicts = tuple[Verdict, str]


def refusal(call: Callable[[], object]) -> str:
    """Make a call; return AWS's refusal, or nothing when it succeeded."""
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        told = error.response.get("Error", {})
        return f"{told.get('Code')}: {told.get('Message')}"
    return ""
