"""Calls to AWS whose refusal is a finding too."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden"})


def code_of(error: ClientError) -> str:
    """The error code of a response, such as ``AccessDenied``."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def is_denied(error: ClientError) -> bool:
    """Whether the identity lacks permission for the call."""
    return code_of(error) in _DENIED


@contextmanager
def asked(thing: str, actions: str) -> Iterator[list[Finding]]:
    """Yield a list; after the block, it contains a warning if a call to AWS in the block failed.

    Args:
        thing: What is checked.
        actions: The IAM actions that the check needs, for the remedy.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    problems: list[Finding] = []
    try:
        yield problems
    except ClientError as error:
        message = error.response.get("Error", {}).get("Message", "")
        detail = f"unknown: {error.operation_name} was refused with {code_of(error)}: {message}".rstrip(": ")
        remedy = f"Allow this identity {actions}, and run this again." if is_denied(error) else "Try again later."
        problems.append(Finding(thing, "warning", detail, remedy))
    except BotoCoreError as error:
        problems.append(Finding(thing, "warning", f"unknown: {error}", "Check the connection to AWS, and try again."))
