"""Asynchronous endpoints: a request and its response are objects in S3."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .clients import Clients

# An endpoint that has scaled to zero needs minutes until its first instance is in service.
WAIT_SECONDS = 30 * 60.0
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of an asynchronous endpoint.

    Attributes:
        client: Returns the client of a service.
        endpoint: Its name.
        output: S3 URI of the folder of its responses; that of its requests is beside it.
    """

    client: Clients
    endpoint: str
    output: str

    @classmethod
    def of(cls, client: Clients, endpoint: str) -> Queue | None:
        """Return the queue of an endpoint, or None when it is not asynchronous, or the caller may not know."""
        from botocore.exceptions import ClientError

        sagemaker = client("sagemaker")
        try:
            name = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
            config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        except ClientError:
            return None
        found = config.get("AsyncInferenceConfig")
        return None if found is None else cls(client, endpoint, found["OutputConfig"]["S3OutputPath"])

    def invoke(
        self,
        body: bytes,
        content_type: str,
        accept: str,
        inference_id: str,
        wait_seconds: float = WAIT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> tuple[bytes, str]:
        """Send a request and wait for its response; return the body and its content type.

        Raises:
            MlopsError: when the model fails, or does not respond in time.
        """
        bucket, _, folder = self.output.removeprefix("s3://").partition("/")
        key = f"{folder.rpartition('/')[0]}/input/{inference_id}"
        s3 = self.client("s3")
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
        answer = self.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=self.endpoint,
            InputLocation=f"s3://{bucket}/{key}",
            ContentType=content_type,
            Accept=accept,
            InferenceId=inference_id,
        )
        deadline = time.monotonic() + wait_seconds
        while time.monotonic() < deadline:
            failure = _read(s3, answer.get("FailureLocation", ""))
            if failure is not None:
                raise MlopsError(
                    f"the endpoint {self.endpoint} could not respond: {failure[0].decode(errors='replace')}"
                )
            found = _read(s3, answer["OutputLocation"])
            if found is not None:
                return found
            sleep(_POLL_SECONDS)
        raise MlopsError(
            f"the endpoint {self.endpoint} has not responded after {wait_seconds:g} s; its response will be in"
            f" {answer['OutputLocation']}"
        )


def _read(s3: Any, uri: str) -> tuple[bytes, str] | None:
    """Return an object and its type, or None when it does not exist; the caller may list its key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not key or not any(one["Key"] == key for one in _listed(s3, bucket, key)):
        return None
    answer = s3.get_object(Bucket=bucket, Key=key)
    return answer["Body"].read(), str(answer.get("ContentType", ""))


def _listed(s3: Any, bucket: str, key: str) -> list[dict[str, Any]]:
    # The keys come in order, so the first one is the object if it exists.
    found: list[dict[str, Any]] = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    return found
