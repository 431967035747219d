"""The exceptions, by cause.

ContractError
 ├── ConfigurationError   the job's or the server's settings
 ├── DataError            the training data
 ├── ModelError           the stored model
 └── RequestError         a request, with the HTTP status of the response
      └── InputError      its records (400)
"""

from __future__ import annotations

import errno

_REFUSALS = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


class ContractError(Exception):
    """An error whose message is complete: it is shown without a stack trace or a type name."""


class ConfigurationError(ContractError):
    """The job's or the server's settings cannot be used."""


class DataError(ContractError):
    """The training data cannot be used; the message names the channel, or the file, line and column."""


class ModelError(ContractError):
    """The stored model cannot be loaded."""


class RequestError(ContractError):
    """A request that gets no prediction; ``status`` is the HTTP status of the response."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class InputError(RequestError):
    """Records that cannot be read or predicted."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, reason)


def is_refused_by_system(error: BaseException) -> bool:
    """Whether there was no memory, no process, no thread or no file descriptor: later, the same may succeed."""
    if isinstance(error, OSError):
        return error.errno in _REFUSALS
    # Python itself has no type for a thread that cannot start, and neither has C++.
    threads = ("can't start new thread", "Resource temporarily unavailable")
    return isinstance(error, MemoryError) or any(text in str(error) for text in threads)
