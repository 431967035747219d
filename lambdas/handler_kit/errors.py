"""The errors that a person reads in the pipeline, and what an AWS error means for it.

StepError              the action has failed, and its message says why
└── ConfigurationError   nothing was tried: a setting or a parameter is wrong
"""

from __future__ import annotations

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

JOB_FAILED = "JobFailed"
CONFIGURATION_ERROR = "ConfigurationError"
PERMISSION_ERROR = "PermissionError"
SYSTEM_UNAVAILABLE = "SystemUnavailable"

_TRANSIENT_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
PERMISSION_CODES = frozenset({"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


class StepError(Exception):
    """The action has failed; the message says what failed, where, and what to do.

    ``kind`` is a CodePipeline failure type; ``external_id`` is a link or a name that leads to the details.
    """

    def __init__(self, message: str, *, kind: str = JOB_FAILED, external_id: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.external_id = external_id


class ConfigurationError(StepError):
    """A setting, a parameter or an input is missing or malformed; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=CONFIGURATION_ERROR)


def error_code(error: Exception) -> str:
    """The AWS error code, or ``""`` when the error is not an error response of AWS."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def error_message(error: ClientError) -> str:
    """The message in the error response of AWS."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later: throttling, a broken connection, an error of the service."""
    return error_code(error) in _TRANSIENT_CODES or isinstance(error, (BotoConnectionError, HTTPClientError))


def as_step_failure(error: Exception) -> StepError:
    """The failure to report for any exception; for an unexpected exception it has the class name and message."""
    if isinstance(error, StepError):
        return error
    if isinstance(error, ClientError):
        text = f"{error.operation_name} was refused with {error_code(error)}: {error_message(error)}"
    else:
        text = f"{type(error).__name__}: {error}"
    if error_code(error) in PERMISSION_CODES:
        return StepError(f"{text} Check the role of this function.", kind=PERMISSION_ERROR)
    if is_transient(error):
        return StepError(f"{text} Retry the stage.", kind=SYSTEM_UNAVAILABLE)
    return StepError(text)
