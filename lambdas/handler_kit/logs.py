"""Log lines as JSON objects on standard output, which Lambda sends to CloudWatch Logs."""

from __future__ import annotations

import json
import traceback

REDACTED = "[redacted]"

_secrets: tuple[str, ...] = ()


def hide(*secrets: str) -> None:
    """Hide these values in every later line; they replace the values that were hidden before."""
    global _secrets
    escaped = (json.dumps(secret)[1:-1] for secret in secrets)
    # Longest first, so that a secret that contains another secret is hidden completely.
    _secrets = tuple(sorted({text for text in (*secrets, *escaped) if text}, key=len, reverse=True))


def redact(text: str) -> str:
    """The text without any hidden value."""
    for secret in _secrets:
        text = text.replace(secret, REDACTED)
    return text


def info(message: str, **fields: object) -> None:
    """Write one line; the fields are facts such as names and counts, never a whole event."""
    _write("INFO", message, fields)


def error(message: str, cause: BaseException, **fields: object) -> None:
    """Write one line with the exception and its stack trace."""
    stack = "".join(traceback.format_exception(type(cause), cause, cause.__traceback__))
    _write("ERROR", message, {**fields, "error": type(cause).__name__, "stack": stack})


def _write(level: str, message: str, fields: dict[str, object]) -> None:
    line = json.dumps({"level": level, "message": message, **fields}, default=str, ensure_ascii=False)
    print(redact(line), flush=True)
