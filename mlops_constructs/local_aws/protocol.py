"""Reads requests and writes responses according to botocore's service models."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.utils import parse_timestamp
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from mlops_constructs.local_aws.service import AwsError
from mlops_constructs.local_aws.validation import check_input

if TYPE_CHECKING:
    from moto.core.model import OperationModel, ServiceModel

_CREDENTIAL = re.compile(r"Credential=([^,\s&]+)")

# services that share a signing name, or whose signing name is not their name in botocore
_SERVICES_OF_SIGNING_NAME = {
    "sagemaker": ("sagemaker", "sagemaker-runtime"),
    "monitoring": ("cloudwatch",),
    "servicequotas": ("service-quotas",),
    "tagging": ("resourcegroupstaggingapi",),
}


@dataclass(frozen=True)
class Call:
    """A parsed request: the operation of a service, the protocol, and the parameters in the URI."""

    service_name: str
    model: OperationModel
    protocol: str
    uri_params: dict[str, Any]

    @property
    def operation(self) -> str:
        """The operation's name in the AWS API, for example StartBuild."""
        return str(self.model.name)

    @property
    def method_name(self) -> str:
        """The operation's name in Python, for example start_build."""
        return str(xform_name(self.operation))


def identify(request: Request) -> Call | None:
    """The operation that a request calls; None when no botocore model describes it."""
    for service_name in services_asked(request):
        try:
            service = get_service_model(service_name)
            _complete_target(request, service)
            model, uri_params = get_service_router(service_name).match(request)
            protocol = determine_request_protocol(service, request.content_type)
        except (NotFound, NotImplementedError, UnknownServiceError):
            continue
        return Call(service_name, model, protocol, uri_params)
    return None


def _complete_target(request: Request, service: ServiceModel) -> None:
    """Complete the prefix of X-Amz-Target: the SDK for Go sends only the part after the last dot."""
    prefix = str(service.metadata.get("targetPrefix", ""))
    sent, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
    if sent and prefix.endswith(f".{sent}"):
        request.environ["HTTP_X_AMZ_TARGET"] = f"{prefix}.{operation}"


def services_asked(request: Request) -> tuple[str, ...]:
    """The services that a request may call, by the signing name in its signature; S3 when it has no signature."""
    parts = _credential(request).split("/")
    if len(parts) != 5:
        return ("s3",)
    signing_name = parts[3]
    return _SERVICES_OF_SIGNING_NAME.get(signing_name, (signing_name,))


def access_key(request: Request) -> str:
    """The access key that signed a request; empty for an unsigned one."""
    return _credential(request).partition("/")[0]


def _credential(request: Request) -> str:
    scope = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    return scope.group(1) if scope else unquote(request.args.get("X-Amz-Credential", ""))


def read_params(call: Call, request: Request) -> dict[str, Any]:
    """The request's members by their botocore names, validated against the model.

    Raises `AwsError`: SerializationException when the request cannot be parsed, ValidationException (or the
    service's own code) when a member is not valid.
    """
    parser = PROTOCOL_PARSERS[call.protocol](call.model, timestamp_parser=_aware_timestamp)
    try:
        params: dict[str, Any] = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.get_data(),
                "url_path": request.path,
                "url_params": call.uri_params,
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AwsError("SerializationException", f"the request cannot be read: {error}") from error
    check_input(call.service_name, call.model.input_shape, params)
    return params


def write_answer(call: Call, answer: dict[str, Any]) -> Response:
    """The HTTP response with what an operation returned."""
    request_id = str(uuid4())
    serializer = get_serializer_class(call.service_name, call.protocol)(
        call.model, context=SerializationContext(request_id)
    )
    parts = serializer.serialize(answer)
    response = Response(parts["body"], status=parts["status_code"])
    for name, value in parts["headers"].items():
        response.headers[name] = value
    _set_bound_members(call, answer, response)
    response.headers["x-amzn-RequestId"] = request_id
    return response


def _set_bound_members(call: Call, answer: dict[str, Any], response: Response) -> None:
    """Set the status and content type that are members of a response; moto's serializer ignores them."""
    shape = call.model.output_shape
    for name, member in shape.members.items() if shape is not None else ():
        if name not in answer:
            continue
        location = member.serialization.get("location")
        if location == "statusCode":
            response.status_code = int(answer[name])
        elif location == "header" and member.serialization.get("name", "").lower() == "content-type":
            response.headers["Content-Type"] = str(answer[name])


def write_error(protocol: str, error: AwsError) -> Response:
    """The HTTP response with an error, in the format of the protocol."""
    request_id = str(uuid4())
    if protocol in ("query", "ec2", "rest-xml"):
        body, content_type = _xml_error(protocol, error, request_id), "text/xml"
    else:
        common = {"__type": error.code, "message": error.message, "Message": error.message}
        body = json.dumps({**common, **error.members})
        content_type = "application/x-amz-json-1.1"
    response = Response(body, status=error.status, content_type=content_type)
    response.headers["x-amzn-RequestId"] = request_id
    response.headers["x-amzn-ErrorType"] = error.code
    return response


def protocol_of(request: Request) -> str:
    """The probable protocol of a request that no model describes; good enough to write an error."""
    if "X-Amz-Target" in request.headers:
        return "json"
    if "Action" in request.values:
        return "query"
    return "rest-xml" if services_asked(request) == ("s3",) else "rest-json"


def is_form_upload(request: Request) -> bool:
    """Whether the request is an upload to S3 from a browser's form (a presigned POST), which no model describes."""
    return request.method == "POST" and request.mimetype == "multipart/form-data" and services_asked(request) == ("s3",)


def name_of(request: Request, call: Call | None) -> str:
    """The name of the requested operation for an error message: `codepipeline:Foo`."""
    if call is not None:
        return f"{call.service_name}:{call.operation}"
    service_name = services_asked(request)[0]
    target = request.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1]
    action = target if target else request.values.get("Action", f"{request.method} {request.path}")
    return f"{service_name}:{action}"


def _xml_error(protocol: str, error: AwsError, request_id: str) -> str:
    words = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if protocol == "rest-xml":
        return f"<Error>{words}<RequestId>{request_id}</RequestId></Error>"
    side = "Sender" if error.status < 500 else "Receiver"
    return (
        f"<ErrorResponse><Error><Type>{side}</Type>{words}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _aware_timestamp(value: Any) -> datetime:
    return parse_timestamp(value).astimezone(timezone.utc)


@cache
def operation_names(service_name: str) -> frozenset[str]:
    """The names in Python of all operations of a service."""
    service: ServiceModel = get_service_model(service_name)
    return frozenset(xform_name(name) for name in service.operation_names)
