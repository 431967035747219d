"""What every service of the local AWS has in common."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

Params = dict[str, Any]
"""The members of a request or a response, named as in the botocore model."""


caller_key: ContextVar[str] = ContextVar("caller_key", default="")
"""The access key that signed the request which is being answered."""


class AwsError(Exception):
    """An error that the caller of an operation gets, as AWS words it.

    `members` are the error's own, beside its message, such as ModelError's OriginalStatusCode.
    """

    def __init__(self, code: str, message: str, status: int = 400, members: Params | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = {} if members is None else members


class PassToMotoError(Exception):
    """Raised by an operation to say: this request is moto's after all."""


class Service:
    """A set of operations that we do ourselves.

    Each public method named like an operation (`botocore.xform_name`: StartBuild -> start_build)
    replaces moto's. It takes the request's members and returns the response's members; datetimes
    must be timezone aware. It raises `AwsError`; a botocore `ClientError` coming out of it is
    handed to the caller unchanged. Methods run in many threads at once: guard state with `lock`.
    A method `after_<operation>` watches instead: it is called with the request's members and the
    answer's headers when moto has done the operation.
    To build on moto's own answer, call `self.account.moto(service_name).<operation>(**params)`;
    to hand a request over whole, raise `PassToMotoError`.
    Several services may share one `service_name`, as long as each operation is done by one of them.
    """

    service_name: ClassVar[str]
    """Name in botocore, for example "codepipeline"."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lock = threading.RLock()

    def start(self) -> None:
        """Begin whatever runs by itself. Called once, when the account has its URL."""

    def close(self) -> None:
        """End whatever the service has running. Called once, when the local AWS closes."""

    def caller_arn(self) -> str:
        """Who sent the request that is being answered, as STS names them."""
        keys = {"AccessKeyId": caller_key.get() or "unsigned"}
        return str(self.account.client("sts", keys).get_caller_identity()["Arn"])


def without_metadata(response: Params) -> Params:
    """A boto3 response as an operation's answer."""
    return {key: value for key, value in response.items() if key != "ResponseMetadata"}
