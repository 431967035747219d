"""InvokeEndpoint: sends requests to the serving processes."""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import time
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.sagemaker.capture import capture
from mlops_constructs.local_aws.sagemaker.variant_metrics import publish
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics
    from mlops_constructs.local_aws.sagemaker.endpoints import Endpoints
    from mlops_constructs.local_aws.sagemaker.fleet import Fleet, Variant

MAXIMUM_BODY_BYTES = 6_291_456
INVOCATION_SECONDS = 60.0
_CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_INFERENCE_ID = re.compile(r"[!-~][ -~]{0,63}")
_UNKNOWN_TYPE = "application/octet-stream"
_REQUEST_HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": _CUSTOM_ATTRIBUTES,
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
}


class ModelError(AwsError):
    """The container returned an error; `members` are further members of the error beside its message."""

    def __init__(self, message: str, status: int, answer: str, log_group_arn: str) -> None:
        members = {"OriginalStatusCode": status, "OriginalMessage": answer, "LogStreamArn": log_group_arn}
        super().__init__("ModelError", message, 424, members)


class Invocations(Service):
    """Invocations of the account's endpoints."""

    service_name: ClassVar[str] = "sagemaker-runtime"

    def __init__(self, account: Account, endpoints: Endpoints, metrics: Metrics) -> None:
        super().__init__(account)
        self._endpoints = endpoints
        self._metrics = metrics

    def invoke_endpoint(self, params: Params) -> Params:
        """Send the body to a variant, chosen by weight or by TargetVariant."""
        began = time.monotonic()
        body = params.get("Body", b"")
        body = body.encode() if isinstance(body, str) else bytes(body)
        if len(body) > MAXIMUM_BODY_BYTES:
            raise AwsError(
                "ValidationException",
                f"The request body has {len(body)} bytes; at most {MAXIMUM_BODY_BYTES} are allowed",
                413,
            )
        _check_inference_id(params.get("InferenceId", "x"))
        name = params["EndpointName"]
        fleet = self._endpoints.serving(name)
        variant = choose(name, fleet.variants, params.get("TargetVariant"))
        status, headers, answer = self._measured(fleet, variant, params, body, began)
        if not 200 <= status < 300:
            raise self._model_error(name, status, answer.decode(errors="replace"))
        content_type = headers.get("Content-Type", _UNKNOWN_TYPE)
        bodies = {"Input": (params.get("ContentType", _UNKNOWN_TYPE), body), "Output": (content_type, answer)}
        settings = fleet.config.get("DataCaptureConfig", {})
        capture(self.account, fleet.endpoint_name, variant, settings, bodies, params.get("InferenceId"))
        result: Params = {"Body": answer, "ContentType": content_type, "InvokedProductionVariant": variant.name}
        if _CUSTOM_ATTRIBUTES in headers:
            result["CustomAttributes"] = headers[_CUSTOM_ATTRIBUTES]
        return result

    def _measured(
        self, fleet: Fleet, variant: Variant, params: Params, body: bytes, began: float
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send the request and publish its metrics, also when the container does not respond."""
        sent, status = time.monotonic(), 500
        try:
            status, headers, answer = self._send(params["EndpointName"], variant, params, body)
        finally:
            now = time.monotonic()
            publish(self._metrics, fleet, variant, status, now - sent, now - began, time.time())
        return status, headers, answer

    def _send(
        self, name: str, variant: Variant, params: Params, body: bytes
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {header: params[member] for member, header in _REQUEST_HEADERS.items() if member in params}
        try:
            with contextlib.closing(variant.container.connection(INVOCATION_SECONDS)) as connection:
                connection.request("POST", "/invocations", body=body, headers=headers)
                response = connection.getresponse()
                return response.status, response.headers, response.read()
        except TimeoutError as error:
            message = "Your invocation timed out while waiting for a response from container primary."
            raise self._model_error(name, 504, message) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._model_error(name, 502, f"the container does not respond: {error}") from error

    def _model_error(self, name: str, status: int, answer: str) -> ModelError:
        group = f"/aws/sagemaker/Endpoints/{name}"
        side = "server" if status >= 500 else "client"
        message = (
            f'Received {side} error ({status}) from primary with message "{answer}". '
            f"See the log group {group} in account {self.account.account_id} for more information."
        )
        arn = self.account.arn("logs", f"log-group:{group}")
        return ModelError(message, status, answer, arn)


def _check_inference_id(given: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
    if _INFERENCE_ID.fullmatch(given) is None:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{given}' at 'inferenceId' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: \\A\\S[\\p{Print}]*\\z, with 1 to 64 characters",
        )


def choose(name: str, variants: list[Variant], target: str | None) -> Variant:
    """Choose the target variant, or draw one by weight; each draw is independent of all others."""
    if target is not None:
        for variant in variants:
            if variant.name == target:
                return variant
        raise AwsError("ValidationError", f"Variant {target} not found for endpoint {name}.")
    weights = [variant.weight for variant in variants]
    if sum(weights) == 0:
        raise AwsError("ValidationError", f"Every variant of endpoint {name} has the weight 0.")
    return random.choices(variants, weights)[0]
