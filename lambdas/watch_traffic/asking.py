"""The predictions of a candidate in DEV for rows that it was not trained with.

A table is sent as CSV without the label, many rows in a request; pictures are sent one by one, as they are.
"""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code, error_message
from watch_traffic.records import answers, predicted
from watch_traffic.rows import UnreadableError, read_channel
from watch_traffic.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watch_traffic.rows import Layout

MAX_ROWS, MAX_PICTURES = 5_000, 500
ROWS_A_REQUEST, BYTES_A_REQUEST = 100, 1 << 20
# The function has 15 minutes, and reads the training data too.
MAX_SECONDS = 480.0
PICTURES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}
INFERENCE_ID = "smoke-test-baseline"
_REFUSED = frozenset({"ModelError", "ValidationError", "ValidationException", "ModelNotReadyException"})


@dataclass
class Asked:
    """What the candidate has responded.

    Attributes:
        predictions: The prediction for each row.
        confidences: Confidence of each prediction, and whether it was right; empty where there are no probabilities.
    """

    predictions: list[str] = field(default_factory=list)
    confidences: list[tuple[float, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Candidate:
    """The endpoint that serves the candidate.

    Attributes:
        runtime: The client of SageMaker's runtime.
        endpoint: Name of the endpoint.
        accept: ``Accept`` header.
    """

    runtime: Any
    endpoint: str
    accept: str

    def invoke(self, body: bytes, content_type: str) -> str:
        """Return the text of the response. Raises UnreadableError if the model cannot read the request."""
        try:
            response = self.runtime.invoke_endpoint(
                EndpointName=self.endpoint,
                ContentType=content_type,
                Accept=self.accept,
                Body=body,
                InferenceId=INFERENCE_ID,
            )
        except ClientError as error:
            if error_code(error) not in _REFUSED:
                raise
            raise UnreadableError(f"the model refuses {content_type}: {error_message(error)[:200]}") from error
        return str(response["Body"].read().decode("utf-8", errors="replace"))


def ask_rows(candidate: Candidate, s3: Any, uri: str, layout: Layout, max_bytes: int) -> Asked:
    """Ask for a random sample of the rows of a channel. Raises UnreadableError."""
    sample = Sample(MAX_ROWS, uri.rpartition("/datasets/")[2])
    for row in read_channel(s3, uri, layout, max_bytes).rows:
        sample.add([row.label, *row.values])
    found, until, certain = Asked(), time.monotonic() + MAX_SECONDS, True
    for body, labels in _requests(sample.rows):
        if time.monotonic() > until:
            break
        text = candidate.invoke(body, "text/csv")
        given = predicted(text, len(labels))
        if given is None:
            raise UnreadableError(f"a response to {len(labels)} records of CSV does not have as many predictions")
        found.predictions += given
        sure = answers(text, len(labels)) if certain else None
        if sure is None:
            certain = False
            continue
        pairs = zip(labels, sure, strict=True)
        found.confidences += [(one.confidence, one.predicted == _class(label)) for label, one in pairs]
    # Classes alone are no probabilities, and probabilities of classes without names tell no right ones.
    told = certain and len({sure for sure, _ in found.confidences}) > 1 and any(right for _, right in found.confidences)
    return found if told else Asked(found.predictions)


def ask_pictures(candidate: Candidate, s3: Any, uri: str) -> Asked:
    """Ask for the pictures of a channel, the first ones. Raises UnreadableError if there are none."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    found, until = Asked(), time.monotonic() + MAX_SECONDS
    for key, type_ in _pictures(s3, bucket, prefix):
        if time.monotonic() > until or len(found.predictions) == MAX_PICTURES:
            break
        text = candidate.invoke(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), type_)
        given = predicted(text, 1)
        if given is None:
            raise UnreadableError("the response to a picture is not one prediction")
        found.predictions += given
    if not found.predictions:
        raise UnreadableError("its objects are neither tables nor pictures")
    return found


def _pictures(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Contents", []):
            type_ = PICTURES.get(one["Key"].rpartition(".")[2].lower())
            if type_ is not None and one["Size"] <= BYTES_A_REQUEST:
                yield one["Key"], type_


def _requests(rows: Sequence[Sequence[object]]) -> Iterator[tuple[bytes, list[object]]]:
    """Yield the body of each request, and the labels of its rows."""
    lines: list[str] = []
    labels: list[object] = []
    for label, *values in rows:
        lines.append(_csv_line(values))
        labels.append(label)
        if len(lines) == ROWS_A_REQUEST or sum(map(len, lines)) >= BYTES_A_REQUEST:
            yield "\n".join(lines).encode(), labels
            lines, labels = [], []
    if lines:
        yield "\n".join(lines).encode(), labels


def _csv_line(values: Sequence[object]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="").writerow(["" if value is None else value for value in values])
    return text.getvalue()


def _class(label: object) -> str:
    """Return a label as a class: a whole number without its decimals."""
    text = str(label).strip()
    try:
        return str(int(float(text))) if float(text).is_integer() else text
    except (ValueError, OverflowError):
        return text
