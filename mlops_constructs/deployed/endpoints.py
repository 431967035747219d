"""The endpoints of a deployed pipeline, invoked as a client does."""

from __future__ import annotations

import csv
import io
import json
import math
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import MlopsError
from .clients import explained
from .queues import Queue
from .stacks import find_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .clients import Clients
    from .pipeline import DeployedPipeline

# So many bytes of what cannot be read are in a message.
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Response:
    """What an endpoint returned.

    Attributes:
        body: Its bytes.
        content_type: Its type.
        variant: The production variant that answered; empty for an asynchronous endpoint, which does not tell it.
        inference_id: The id of the request.
    """

    body: bytes
    content_type: str
    variant: str
    inference_id: str


def endpoint_of(pipeline: DeployedPipeline, stack: str) -> str:
    """Return the name of the endpoint in a CloudFormation stack. Raises MlopsError, with the reason, without one."""
    found = find_stack(pipeline.client, stack)
    if found is None:
        raise MlopsError(absence(pipeline, stack))
    if found.paused_at is not None:
        raise MlopsError(
            f"the endpoint of {stack} has been paused since {found.paused_at}:"
            f" `mlops resume {pipeline.name}{option_of(pipeline, stack)}` brings it back"
        )
    if "EndpointName" not in found.outputs:
        raise MlopsError(f"the stack {stack} has no endpoint; its status is {found.status}: see its events")
    return found.outputs["EndpointName"]


def option_of(pipeline: DeployedPipeline, stack: str) -> str:
    """Return the option with which ``mlops pause`` and ``mlops resume`` mean a stack; empty for production."""
    return " --dev" if stack == pipeline.stacks[0] != pipeline.stacks[-1] else ""


def absence(pipeline: DeployedPipeline, stack: str) -> str:
    """Return why a stack does not exist, as a sentence."""
    if pipeline.retires_dev and stack == pipeline.stacks[0]:
        return f"DEV is not deployed now: {stack} is deleted after the decision; the next release brings it back"
    return f"nothing is deployed yet: the stack {stack} does not exist"


def invoke(
    client: Clients, endpoint: str, body: bytes, content_type: str, accept: str, inference_id: str | None = None
) -> Response:
    """Send a request to an endpoint, and wait for the response of an asynchronous one.

    Raises MlopsError with what the container or AWS said.

    Args:
        client: Returns the client of a service.
        endpoint: Its name.
        body: The request's body.
        content_type: Its type.
        accept: Type of the response.
        inference_id: Id with which data capture stores the request, and by which its outcome is found later; 1 to 64
            printable ASCII characters, the first not a space. None makes one.
    """
    from botocore.exceptions import ClientError

    inference_id = inference_id or uuid.uuid4().hex
    with explained(f"the endpoint {endpoint} could not be invoked"):
        try:
            answer = client("sagemaker-runtime").invoke_endpoint(
                EndpointName=endpoint, ContentType=content_type, Accept=accept, Body=body, InferenceId=inference_id
            )
        except ClientError as error:
            # An asynchronous endpoint refuses it.
            queue = Queue.of(client, endpoint) if error.response["Error"]["Code"] == "ValidationError" else None
            if queue is None:
                raise
            return Response(*queue.invoke(body, content_type, accept, inference_id), "", inference_id)
        content = answer["Body"].read()
    variant = answer.get("InvokedProductionVariant", "")
    return Response(content, answer.get("ContentType", ""), variant, inference_id)


def predict(client: Clients, endpoint: str, rows: Sequence[Sequence[object]]) -> list[str]:
    """Invoke an endpoint with rows of features in CSV; return the prediction for each.

    Raises:
        MlopsError: when AWS refuses, or the number of predictions differs from the number of rows.
    """
    body = io.StringIO(newline="")
    csv.writer(body, lineterminator="\n").writerows(rows)
    response = invoke(client, endpoint, body.getvalue().encode(), "text/csv", "text/csv")
    try:
        found = predictions(response.body.decode(), len(rows))
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise MlopsError(
            f"the endpoint {endpoint} returned no predictions that can be read ({error}): {response.body[:_SHOWN]!r}"
        ) from error
    if len(found) != len(rows):
        raise MlopsError(
            f"the endpoint {endpoint} returned {len(found)} predictions for {len(rows)} rows: its container must return"
            " one line for each line"
        )
    return found


def predictions(text: str, asked: int) -> list[str]:
    """Return the prediction for each of ``asked`` rows: the first value of a line.

    The built-in XGBoost returns several rows in one line; linear-learner and knn return JSON.
    """
    if text.lstrip().startswith("{"):
        return [str(one.get("predicted_label", one.get("score"))) for one in json.loads(text)["predictions"]]
    lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    cells = lines[0] if len(lines) == 1 and len(lines[0]) == asked else [line[0] for line in lines]
    return [cell.strip() for cell in cells]


def same(label: str, answer: str) -> bool:
    """Tell whether a prediction equals the label: the same text, or the same number."""
    try:
        return label == answer or math.isclose(float(label), float(answer), rel_tol=1e-6)
    except ValueError:
        return False
