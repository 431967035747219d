"""What botocore's models say of operations and their errors: a fault that AWS cannot have is refused."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import botocore.session
from botocore.exceptions import UnknownServiceError

from mlops_constructs.local_aws.faults.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from botocore.model import OperationModel, ServiceModel

# The services whose operations are known by their name alone.
SERVICES = (
    "application-autoscaling",
    "cloudformation",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codepipeline",
    "ecr",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "sagemaker",
    "sagemaker-runtime",
    "sns",
    "sqs",
    "ssm",
    "sts",
)
# Errors that every operation may return, and their HTTP status.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
# What botocore retries, such as RequestLimitExceeded, is in its data `_retry`.
_COMMON: Mapping[str, int] = {
    "AccessDenied": 403,
    "AccessDeniedException": 400,
    "ExpiredToken": 403,
    "ExpiredTokenException": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "RequestExpired": 400,
    "RequestLimitExceeded": 503,
    "RequestTimeout": 400,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
    "Throttling": 400,
    "ThrottlingException": 400,
    "TooManyRequestsException": 429,
    "UnrecognizedClientException": 403,
    "ValidationError": 400,
    "ValidationException": 400,
}
# S3's codes are not in its model: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
# Those of KMS keys: https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
_S3: Mapping[str, int] = {
    "AccessDenied": 403,
    "ConditionalRequestConflict": 409,
    "InternalError": 500,
    "KMS.DisabledException": 400,
    "KMS.KMSInvalidStateException": 400,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchVersion": 404,
    "PreconditionFailed": 412,
    "RequestTimeout": 400,
    "RequestTimeTooSkewed": 403,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
}


@dataclass(frozen=True)
class Operation:
    """An operation that exists.

    Attributes:
        service: Name in botocore.
        name: Such as ``CreateTrainingJob``.
    """

    service: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Operation:
        """Read ``SERVICE.OPERATION``, or ``OPERATION`` where one service has it.

        Raises:
            FaultError: when no such operation exists, or several do.
        """
        service, dot, name = text.rpartition(".")
        if not dot:
            found = [one for one in SERVICES if name in _model(one).operation_names]
            if len(found) != 1:
                known = [operation for one in SERVICES for operation in _model(one).operation_names]
                more = f"give one of {', '.join(f'{one}.{name}' for one in found)}" if found else _like(name, known)
                raise FaultError(f"{name!r} is not the operation of exactly one service: {more}")
            return cls(found[0], name)
        if name not in _model(service).operation_names:
            raise FaultError(f"{service} has no operation {name!r}: {_like(name, _model(service).operation_names)}")
        return cls(service, name)

    def status_of(self, code: str) -> int:
        """Return the HTTP status of an error that the operation may return.

        Raises:
            FaultError: when AWS does not document that it returns this code.
        """
        own = {_code(shape): _status(shape) for shape in self._operation().error_shapes}
        common = _S3 if self.service == "s3" else _COMMON
        known = {**common, **own}
        if code not in known:
            raise FaultError(f"{self.service}.{self.name} returns no error {code!r}; it returns: {', '.join(known)}")
        return known[code]

    def _operation(self) -> OperationModel:
        return _model(self.service).operation_model(self.name)

    def __str__(self) -> str:
        return f"{self.service}.{self.name}"


@cache
def _model(service: str) -> ServiceModel:
    session = botocore.session.get_session()
    try:
        return session.get_service_model(service)
    except UnknownServiceError:
        raise FaultError(
            f"AWS has no service {service!r}: {_like(service, session.get_available_services())}"
        ) from None


def stack_states() -> list[str]:
    """Return the states of a CloudFormation stack."""
    return list(_model("cloudformation").shape_for("StackStatus").enum)  # type: ignore[attr-defined]


def _code(shape: object) -> str:
    return str(shape.metadata.get("error", {}).get("code", shape.name))  # type: ignore[attr-defined]


def _status(shape: object) -> int:
    metadata = shape.metadata  # type: ignore[attr-defined]
    return int(metadata.get("error", {}).get("httpStatusCode", 500 if metadata.get("fault") else 400))


def _like(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(dict.fromkeys(close))}?" if close else "see botocore's model of the service"
