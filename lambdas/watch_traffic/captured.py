"""Captured requests of one variant, in the order in which their objects arrived in S3.

This order is the same whenever somebody looks, and nothing that arrives late is lost: an object counts when it arrives,
in a folder of at most ``LATE_HOURS`` before or one hour ahead. SageMaker documents that objects arrive within minutes,
in the folder of their hour.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from handler_kit.json_lines import Listed, json_lines, listed
from handler_kit.outcomes import decoded
from watch_traffic.records import media_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOUR = 3_600.0
LATE_HOURS = 4
_SMOKE_TEST = "smoke-test-"
_TEXTS = ("text/", "application/json", "application/x-json")


@dataclass(frozen=True, slots=True)
class Request:
    """A captured request.

    Attributes:
        id: Its inference id or, if the caller has sent none, its event id.
        time: When it was responded to, in seconds since 1970.
        arrived: When its object arrived.
        body: The text of the request; None if it is no text.
        content_type: Its content type.
        response: The text of the response; None if it is no text.
    """

    id: str
    time: float
    arrived: float
    body: str | None
    content_type: str
    response: str | None


@dataclass(frozen=True)
class Capture:
    """What is captured of one variant.

    Attributes:
        s3: The client.
        bucket: Bucket with the objects.
        prefix: Prefix of the variant's objects, without the last slash.
    """

    s3: Any
    bucket: str
    prefix: str
    _listed: dict[float, list[Listed]] = field(default_factory=dict)

    def objects(self, begin: float, end: float) -> list[Listed]:
        """Return the objects that arrived from one time until before another one, in the order of their arrival."""
        found = []
        hour = begin // HOUR * HOUR - LATE_HOURS * HOUR
        while hour <= end + HOUR:
            found += [
                one
                for one in self._in_folder(hour)
                if begin <= one.arrived < end and hour - HOUR <= one.arrived // HOUR * HOUR <= hour + LATE_HOURS * HOUR
            ]
            hour += HOUR
        return sorted(found, key=lambda one: (one.arrived, one.key))

    def requests(self, one: Listed) -> Iterator[Request | None]:
        """Yield the requests of an object, without smoke tests; None in the place of a line that cannot be read."""
        for line in json_lines(self.s3, self.bucket, one.key):
            request = None if line is None else _request(line, one.arrived)
            if request is None or not request.id.startswith(_SMOKE_TEST):
                yield request

    def _in_folder(self, hour: float) -> list[Listed]:
        if hour not in self._listed:
            folder = f"{self.prefix}/{datetime.fromtimestamp(hour, timezone.utc):%Y/%m/%d/%H}/"
            self._listed[hour] = list(listed(self.s3, self.bucket, folder))
        return self._listed[hour]


def _request(line: Mapping[str, Any], arrived: float) -> Request | None:
    try:
        metadata, data = line["eventMetadata"], line["captureData"]
        name = metadata.get("inferenceId") or metadata["eventId"]
        time = datetime.fromisoformat(metadata["inferenceTime"].replace("Z", "+00:00"))
        sides = [_text(data.get(side)) for side in ("endpointInput", "endpointOutput")]
        content_type = str((data.get("endpointInput") or {}).get("observedContentType") or "")
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not isinstance(name, str):
        return None
    time = time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)
    return Request(name, time.timestamp(), arrived, sides[0], content_type, sides[1])


def _text(side: Mapping[str, Any] | None) -> str | None:
    """Return a side as text; what is encoded in base64 and of no type of text is a picture, or the like."""
    if side is None:
        return None
    type_ = media_type(str(side.get("observedContentType") or ""))
    if side.get("encoding") == "BASE64" and not type_.startswith(_TEXTS):
        return None
    return decoded(side)
