"""Asking AWS, where a refusal is a finding too."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden"})


def code_of(error: ClientError) -> str:
    """The error code of an answer, such as ``AccessDenied``."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def is_denied(error: ClientError) -> bool:
    """Whether the identity may not ask this."""
    return code_of(error) in _DENIED


@contextmanager
def asked(thing: str, actions: str) -> Iterator[list[Finding]]:
    """Give a list that holds a warning, once the block is over, when AWS did not answer what was asked in it.

    Args:
        thing: What is looked at.
        actions: The IAM actions that asking takes, for the remedy.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    problems: list[Finding] = []
    try:
        yield problems
    except ClientError as error:
        message = error.response.get("Error", {}).get("Message", "")
        detail = f"unknown: {error.operation_name} was refused with {code_of(error)}: {message}".rstrip(": ")
        remedy = f"Allow {actions} to this identity, and ask again." if is_denied(error) else "Ask again later."
        problems.append(Finding(thing, "warning", detail, remedy))
    except BotoCoreError as error:
        problems.append(Finding(thing, "warning", f"unknown: {error}", "Look at the connection to AWS, and ask again."))
