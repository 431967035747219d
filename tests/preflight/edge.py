"""The edge of AWS: answers in the place of the network, for requests that botocore has judged by its models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[int, str]


def session() -> boto3.session.Session:
    """A session of a caller without rights anywhere."""
    return boto3.session.Session("testing", "testing", region_name="us-east-1")


def on(made: boto3.session.Session, event: str, answer: Callable[[str], Answer]) -> None:
    """Answer the requests of a service or of an operation, such as ``iam.SimulatePrincipalPolicy``.

    Args:
        made: The session whose requests these are.
        event: Service, or service and operation, as botocore's events name them.
        answer: Gets the request's body; gives the status and the body of the answer.
    """

    def send(request: Any, **_: object) -> AWSResponse:
        body = request.body
        status, text = answer(body.decode() if isinstance(body, bytes) else str(body or ""))
        kept = AWSResponse(request.url, status, {}, None)
        kept._content = text.encode()
        return kept

    made.events.register(f"before-send.{event}", send)


def refused(code: str, message: str = "no", status: int = 400) -> Callable[[str], Answer]:
    """A refusal of a service that answers in JSON."""
    return lambda _: (status, json.dumps({"__type": code, "message": message}))


def refused_in_xml(code: str, message: str = "no", status: int = 403) -> Callable[[str], Answer]:
    """A refusal of a service that answers in XML."""
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return lambda _: (status, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>")


def told(document: dict[str, Any]) -> Callable[[str], Answer]:
    """An answer in JSON."""
    return lambda _: (200, json.dumps(document))
