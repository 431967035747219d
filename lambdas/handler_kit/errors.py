"""The errors that a person reads in the pipeline, and what an AWS error means for it.

StepError              the action has failed, and its message says why
└── ConfigurationError   nothing was tried: a setting or a parameter is wrong
"""

from __future__ import annotations

import os

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from handler_kit.subjects import subject

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
_MISSING_CODES = frozenset(
    {"404", "NoSuchBucket", "NoSuchKey", "NotFoundException", "ParameterNotFound", "ResourceNotFound"}
)
_MISSING_CODES |= {"ResourceNotFoundException"}
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


def is_missing(error: Exception) -> bool:
    """Whether AWS says that the thing does not exist.

    SageMaker says "Requested resource not found." of a training job, "Could not find ..." of a processing job, and
    "... does not exist" of a model package, each with the code ValidationException.
    """
    if not isinstance(error, ClientError):
        return False
    text = error_message(error).lower()
    told = any(words in text for words in ("not found", "not find", "not exist"))
    return error_code(error) in _MISSING_CODES or (error_code(error) == "ValidationException" and told)


def as_step_failure(error: Exception) -> StepError:
    """The failure to report for any exception; for an unexpected exception it has the class name and message."""
    if isinstance(error, StepError):
        return error
    if isinstance(error, ClientError):
        about = f" ({subject(error)})" if subject(error) else ""
        text = f"{error.operation_name}{about} was refused with {error_code(error)}: {_sentence(error_message(error))}"
    else:
        text = f"{type(error).__name__}: {_sentence(str(error))}"
    if error_code(error) in PERMISSION_CODES:
        return StepError(f"{text} Check the role of this function.", kind=PERMISSION_ERROR)
    if is_transient(error):
        return StepError(f"{text} Retry the stage.", kind=SYSTEM_UNAVAILABLE)
    if is_missing(error):
        return StepError(f"{text} If somebody has deleted it, start a new execution.")
    return StepError(f"{text} The log of this function ({_log_group()}) has the details.")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _log_group() -> str:
    return os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "in CloudWatch")
