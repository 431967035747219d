"""InvokeEndpoint: sends requests to the serving processes."""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import time
import uuid
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.containers.running import reported
from mlops_constructs.local_aws.sagemaker.capture import capture
from mlops_constructs.local_aws.sagemaker.serverless import MAXIMUM_BODY_BYTES as SERVERLESS_BODY_BYTES
from mlops_constructs.local_aws.sagemaker.variant_metrics import publish, publish_setup
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
UNKNOWN_TYPE = "application/octet-stream"
REQUEST_HEADERS = {
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
        check_inference_id(params.get("InferenceId", "x"))
        name = params["EndpointName"]
        fleet = self._endpoints.serving(name)
        _check_synchronous(fleet)
        variant = choose(name, fleet.variants, params.get("TargetVariant"))
        status, headers, answer = self._from_variant(fleet, variant, params, body, began)
        if not 200 <= status < 300:
            raise self._model_error(name, status, answer.decode(errors="replace"))
        content_type = headers.get("Content-Type", UNKNOWN_TYPE)
        bodies = {"Input": (params.get("ContentType", UNKNOWN_TYPE), body), "Output": (content_type, answer)}
        settings = fleet.config.get("DataCaptureConfig", {})
        capture(self.account, fleet.endpoint_name, variant, settings, bodies, params.get("InferenceId"))
        result: Params = {"Body": answer, "ContentType": content_type, "InvokedProductionVariant": variant.name}
        if _CUSTOM_ATTRIBUTES in headers:
            result["CustomAttributes"] = headers[_CUSTOM_ATTRIBUTES]
        return result

    def _from_variant(
        self, fleet: Fleet, variant: Variant, params: Params, body: bytes, began: float
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        if variant.serverless is None:
            return self._measured(fleet, variant, params, body, began)
        if len(body) > SERVERLESS_BODY_BYTES:
            # https://github.com/aws/amazon-sagemaker-examples/issues/4485
            raise AwsError("ValidationError", f"Request {uuid.uuid4()} has oversize body.", 413)
        try:
            with variant.serverless.invocation() as setup_seconds:
                publish_setup(self._metrics, fleet, variant, setup_seconds, self.account.clock.time())
                return self._measured(fleet, variant, params, body, began)
        except OSError as error:
            raise self._model_error(params["EndpointName"], 500, str(error)) from error

    def _measured(
        self, fleet: Fleet, variant: Variant, params: Params, body: bytes, began: float
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send the request and publish its metrics, also when the container does not respond."""
        sent, status = time.monotonic(), 500
        try:
            status, headers, answer = self._send(params["EndpointName"], variant, params, body)
        finally:
            now = time.monotonic()
            publish(self._metrics, fleet, variant, status, now - sent, now - began, self.account.clock.time())
        return status, headers, answer

    def _send(
        self, name: str, variant: Variant, params: Params, body: bytes
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {header: params[member] for member, header in REQUEST_HEADERS.items() if member in params}
        try:
            with contextlib.closing(variant.container.connection(INVOCATION_SECONDS)) as connection:
                connection.request("POST", "/invocations", body=body, headers=headers)
                response = connection.getresponse()
                return response.status, response.headers, response.read()
        except TimeoutError as error:
            message = "Your invocation timed out while waiting for a response from container primary."
            raise self._model_error(name, 504, message) from error
        except (OSError, http.client.HTTPException) as error:
            message = f"the container does not respond: {error}"
            if (code := variant.revive()) is not None:
                message = f"the container has ended with exit code {reported(code)}, and is started again"
                self.account.log(f"endpoint {name}: the server of {variant.name} ended: {message}")
            raise self._model_error(name, 502, message) from error

    def _model_error(self, name: str, status: int, answer: str) -> ModelError:
        arn = self.account.arn("logs", f"log-group:{_log_group(name)}")
        return ModelError(error_text(self.account, name, status, answer.encode()), status, answer, arn)


def _check_synchronous(fleet: Fleet) -> None:
    """AWS's code is known, its words are not: https://github.com/strands-agents/harness-sdk/issues/1969"""
    if "AsyncInferenceConfig" in fleet.config:
        raise AwsError(
            "ValidationError",
            f"Endpoint {fleet.endpoint_name} can only receive asynchronous invocations: use InvokeEndpointAsync.",
        )


def check_inference_id(given: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
    if _INFERENCE_ID.fullmatch(given) is None:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{given}' at 'inferenceId' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: \\A\\S[\\p{Print}]*\\z, with 1 to 64 characters",
        )


def error_text(account: Account, name: str, status: int, answer: bytes) -> str:
    """What SageMaker says of an error that a container returned."""
    side = "server" if status >= 500 else "client"
    return (
        f'Received {side} error ({status}) from primary with message "{answer.decode(errors="replace")}". '
        f"See the log group {_log_group(name)} in account {account.account_id} for more information."
    )


def _log_group(name: str) -> str:
    return f"/aws/sagemaker/Endpoints/{name}"


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
