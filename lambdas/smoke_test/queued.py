"""The golden records through an asynchronous endpoint, whose requests and responses are objects in S3."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit.errors import StepError
from handler_kit.objects import exists

if TYPE_CHECKING:
    from collections.abc import Mapping

# SageMaker gives a request up after this time in the queue.
TTL_SECONDS = 2 * 3600
INVOCATION_SECONDS = 3600
# A healthy endpoint responds within seconds; if not, CodePipeline invokes the function again.
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Sent:
    """Where SageMaker writes the response of a request, and where the reason why there is none."""

    output: str
    failure: str


@dataclass(frozen=True)
class Response:
    """A response, and when it was written, in seconds since 1970."""

    text: str
    written: float


def encode(endpoint: str, sent: list[Sent]) -> str:
    """What a continuation token waits for: the endpoint's name, and the places of the responses."""
    return " ".join([endpoint, *(place for one in sent for place in (one.output, one.failure))])


def decode(endpoint: str, awaits: str) -> list[Sent] | None:
    """The requests that a token waits for, none before they are sent; ``None`` when this action did not write it."""
    name, *places = awaits.split(" ")
    if name != endpoint or len(places) % 2 or not all(place.startswith("s3://") for place in places):
        return None
    return [Sent(*pair) for pair in zip(places[::2], places[1::2], strict=True)]


class Queue:
    """The queue of an asynchronous endpoint."""

    def __init__(self, endpoint: str, config: Mapping[str, Any], runtime: Any, s3: Any) -> None:
        output = config["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"]
        self._endpoint = endpoint
        # The endpoint's folders for requests and responses are side by side.
        self._bucket, _, folder = output.removeprefix("s3://").partition("/")
        self._requests = f"{folder.rpartition('/')[0]}/input/smoke-test"
        self._runtime = runtime
        self._s3 = s3

    def send(self, request: Mapping[str, Any]) -> Sent:
        """Send a request; its Body becomes an object."""
        key = f"{self._requests}/{uuid.uuid4().hex}.csv"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=request["Body"], ContentType=request["ContentType"])
        answer = self._runtime.invoke_endpoint_async(
            EndpointName=self._endpoint,
            InputLocation=f"s3://{self._bucket}/{key}",
            RequestTTLSeconds=TTL_SECONDS,
            InvocationTimeoutSeconds=INVOCATION_SECONDS,
            **{name: request[name] for name in ("ContentType", "Accept", "InferenceId")},
        )
        return Sent(answer["OutputLocation"], answer["FailureLocation"])

    def responses(self, sent: list[Sent]) -> list[Response] | None:
        """The responses; ``None`` when one is still missing. Raises StepError with the reason of a failure."""
        for _ in range(PATIENCE_SECONDS):
            found = [self._response(one) for one in sent]
            complete = [one for one in found if one is not None]
            if len(complete) == len(sent):
                return complete
            time.sleep(1)
        return None

    def _response(self, sent: Sent) -> Response | None:
        failure = self._read(sent.failure)
        if failure is not None:
            raise StepError(
                f"The model on endpoint {self._endpoint} returned an error: {failure[:1000]} See the endpoint's logs."
            )
        text = self._read(sent.output)
        if text is None:
            return None
        bucket, _, key = sent.output.removeprefix("s3://").partition("/")
        written = self._s3.head_object(Bucket=bucket, Key=key)["LastModified"]
        return Response(text, written.timestamp())

    def _read(self, uri: str) -> str | None:
        # First the list: between GetObject and a list, SageMaker may write the object.
        if not exists(self._s3, uri):
            return None
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode("utf-8", errors="replace")
