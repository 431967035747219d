"""What all services of the local AWS have in common."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from mlops_constructs.local_aws.account import Account

Params = dict[str, Any]
"""The members of a request or a response, named as in the botocore model."""


caller_key: ContextVar[str] = ContextVar("caller_key", default="")
"""The access key that signed the request that is being handled."""


class AwsError(Exception):
    """An error that an operation returns to its caller, with AWS's code and wording.

    `members` are further members of the error beside its message, such as ModelError's OriginalStatusCode.
    """

    def __init__(self, code: str, message: str, status: int = 400, members: Params | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = {} if members is None else members

    @classmethod
    def of(cls, error: ClientError) -> AwsError:
        """Return an error that boto3 has raised."""
        details = error.response["Error"]
        return cls(
            details["Code"], details["Message"], error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        )


class PassToMotoError(Exception):
    """An operation raises it to pass the request to moto."""


class Service:
    """A set of operations that this package implements itself.

    Each public method with the name of an operation (`botocore.xform_name`: StartBuild -> start_build)
    replaces moto's operation. It takes the request's members and returns the response's members; datetimes
    must be timezone aware. It raises `AwsError`; a botocore `ClientError` that it raises is
    returned to the caller unchanged. Methods run in many threads at the same time: guard state with `lock`.
    A method `after_<operation>` is an observer: it is called with the request's members and the
    response's headers after moto has executed the operation.
    To extend moto's response, call `self.account.moto(service_name).<operation>(**params)`;
    to pass the whole request to moto, raise `PassToMotoError`.
    Several services may share one `service_name` if only one of them implements each operation.
    """

    service_name: ClassVar[str]
    """Name in botocore, for example "codepipeline"."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lock = threading.RLock()

    def start(self) -> None:
        """Start the service's background work. Called once, when the account has its URL."""

    def resume(self) -> None:
        """Continue what another process has left. Called once, when all services of a restored account have started."""

    def close(self) -> None:
        """End the service's background work. Called once, when the local AWS closes."""

    def caller_arn(self) -> str:
        """The ARN of the caller of the current request, as GetCallerIdentity of STS returns it."""
        keys = {"AccessKeyId": caller_key.get() or "unsigned"}
        return str(self.account.client("sts", keys).get_caller_identity()["Arn"])


def without_metadata(response: Params) -> Params:
    """A boto3 response without ResponseMetadata: the members that an operation returns."""
    return {key: value for key, value in response.items() if key != "ResponseMetadata"}
