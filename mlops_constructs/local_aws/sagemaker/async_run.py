"""Processes one request of an asynchronous endpoint: S3, the container, S3, and a notification."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.cloudwatch.metrics import Metric
from mlops_constructs.local_aws.sagemaker.job_files import split_s3_uri
from mlops_constructs.local_aws.sagemaker.runtime import REQUEST_HEADERS, UNKNOWN_TYPE, error_text

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics
    from mlops_constructs.local_aws.sagemaker.async_queue import QueuedRequest
    from mlops_constructs.local_aws.sagemaker.fleet import Fleet, Variant
    from mlops_constructs.local_aws.service import Params

MAXIMUM_BYTES = 1024**3
_MAXIMUM_NOTIFIED_BYTES = 128 * 1024
_NAMESPACE = "AWS/SageMaker"


class FailedError(Exception):
    """The request has no response; the text is the reason, `metric` counts it."""

    def __init__(self, reason: str, metric: str = "") -> None:
        super().__init__(reason)
        self.metric = metric


class AsyncRun:
    """One request and the variant that responds."""

    def __init__(
        self, account: Account, metrics: Metrics, fleet: Fleet, variant: Variant, request: QueuedRequest
    ) -> None:
        self._account = account
        self._metrics = metrics
        self._fleet = fleet
        self._variant = variant
        self._request = request
        self._output: Params = fleet.config["AsyncInferenceConfig"]["OutputConfig"]

    def run(self) -> None:
        """Process the request; whatever happens, there is a response or the reason of the failure."""
        try:
            content_type, answer = self._ask(self._download())
            self._upload(self._request.output, answer, content_type)
        except FailedError as error:
            self.fail(error)
            return
        self._count({"InvocationsProcessed": 1})
        self._notify("SuccessTopic", "Completed", {"contentType": content_type, "outputLocation": self._request.output})

    def fail(self, error: FailedError) -> None:
        """Write and notify why there is no response."""
        self._count({"InvocationFailures": 1, **({error.metric: 1} if error.metric else {})})
        if self._request.failure:
            with contextlib.suppress(FailedError):
                self._upload(self._request.failure, str(error).encode(), "text/plain")
        self._account.log(f"endpoint {self._fleet.endpoint_name}: request {self._request.inference_id}: {error}")
        self._notify("ErrorTopic", "Failed", {}, str(error))

    def _download(self) -> bytes:
        location = self._request.params["InputLocation"]
        try:
            bucket, key = split_s3_uri(location)
            found = self._s3().get_object(Bucket=bucket, Key=key)
            size = int(found["ContentLength"])
            if size > MAXIMUM_BYTES:
                raise FailedError(f"The request {location} has {size} bytes; at most 1 GB is allowed.")
            return bytes(found["Body"].read())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise FailedError(f"Failed to download {location}: {error}", "RequestDownloadFailures") from error

    def _ask(self, body: bytes) -> tuple[str, bytes]:
        """Send the request; return content type and body of the response."""
        params, began, status = self._request.params, time.monotonic(), 500
        headers = {header: params[member] for member, header in REQUEST_HEADERS.items() if member in params}
        headers[REQUEST_HEADERS["InferenceId"]] = self._request.inference_id
        seconds = float(params.get("InvocationTimeoutSeconds", 900))
        try:
            with contextlib.closing(self._variant.container.connection(seconds)) as connection:
                connection.request("POST", "/invocations", body=body, headers=headers)
                response = connection.getresponse()
                status, answer = response.status, response.read()
        except TimeoutError:
            raise FailedError(f"The invocation took longer than InvocationTimeoutSeconds ({seconds:g} s).") from None
        except (OSError, http.client.HTTPException) as error:
            raise FailedError(f"the container does not respond: {error}") from error
        finally:
            self._count(
                {
                    "Invocation4XXErrors": int(400 <= status < 500),
                    "Invocation5XXErrors": int(status >= 500),
                    "ModelLatency": round((time.monotonic() - began) * 1_000_000),
                },
                with_config=True,
            )
        if not 200 <= status < 300:
            raise FailedError(error_text(self._account, self._fleet.endpoint_name, status, answer))
        return response.headers.get("Content-Type", UNKNOWN_TYPE), answer

    def _upload(self, uri: str, body: bytes, content_type: str) -> None:
        bucket, key = split_s3_uri(uri)
        key_id = self._output.get("KmsKeyId")
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
        try:
            self._s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, **encryption)
        except (BotoCoreError, ClientError) as error:
            raise FailedError(f"Failed to upload {uri}: {error}", "ResponseUploadFailures") from error

    def _notify(self, topic: str, status: str, response: Params, reason: str = "") -> None:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html"""
        arn = self._output.get("NotificationConfig", {}).get(topic)
        if arn is None:
            return
        params = self._request.params
        message = {
            "awsRegion": self._account.region,
            "eventTime": _time(utc_now()),
            "receivedTime": _time(self._request.received),
            "invocationStatus": status,
            **({"failureReason": reason} if reason else {}),
            "requestParameters": {
                "contentType": params.get("ContentType", UNKNOWN_TYPE),
                "endpointName": self._fleet.endpoint_name,
                "inputLocation": params["InputLocation"],
            },
            **({"responseParameters": response} if response else {}),
            "inferenceId": self._request.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        try:
            sns = self._account.client("sns", self._variant.credentials)
            sns.publish(TopicArn=arn, Message=json.dumps(message))
        except (BotoCoreError, ClientError) as error:
            self._count({"NotificationFailures": 1})
            self._account.log(f"endpoint {self._fleet.endpoint_name}: {arn} was not notified: {error}")

    def _count(self, values: dict[str, int], *, with_config: bool = False) -> None:
        both = {"EndpointName": self._fleet.endpoint_name, "VariantName": self._variant.name}
        dimensions = [both, {**both, "EndpointConfigName": self._fleet.config_name}] if with_config else [both]
        units = {"ModelLatency": "Microseconds"}
        self._metrics.publish(
            [
                (Metric.of(_NAMESPACE, name, one), units.get(name, "Count"), value)
                for one in dimensions
                for name, value in values.items()
            ],
            self._account.clock.time(),
        )

    def _s3(self) -> Any:
        return self._account.client("s3", self._variant.credentials)


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
