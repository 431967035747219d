"""How a refusal is told from a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .answer import Verdict

    Verdicts = tuple[Verdict, str]


def refusal(call: Callable[[], object]) -> str:
    """Make a call; give AWS's refusal, or nothing when it was done."""
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        told = error.response.get("Error", {})
        return f"{told.get('Code')}: {told.get('Message')}"
    return ""
