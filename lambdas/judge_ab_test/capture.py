"""Captured requests: what SageMaker's data capture has stored of the invocations of both variants.

A record has the time of its request in whole seconds, and its object's key has the variant. SageMaker documents that
objects arrive within minutes, in the folder of their hour. So that it does not matter when somebody looks, a request
counts only if its object has arrived before the request is old enough to count, and in a folder at most one hour away.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from handler_kit.json_lines import Listed, json_lines, listed
from handler_kit.outcomes import CLOCK_SLACK, decoded

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

HOUR = 3_600.0
_SMOKE_TEST = "smoke-test-"


@dataclass(frozen=True, slots=True)
class Request:
    """A captured request.

    Attributes:
        id: Its inference id or, if the caller has sent none, its event id.
        time: When it was responded to, in seconds since 1970.
        challenger: Whether the challenger responded.
        delivered: When its object was written.
        response: The text of the response; None if responses are not captured, or not needed.
    """

    id: str
    time: float
    challenger: bool
    delivered: float
    response: str | None


@dataclass(frozen=True)
class Capture:
    """The captured requests of an endpoint.

    Attributes:
        s3: The client.
        bucket: Bucket with the objects.
        prefix: Prefix of the endpoint's objects, without the last slash.
        variants: Name of each variant, and whether it is the challenger.
        window: Seconds after which a request is old enough to count.
        responses: Whether responses are needed.
    """

    s3: Any
    bucket: str
    prefix: str
    variants: Mapping[str, bool]
    window: float
    responses: bool = True
    _listed: dict[str, list[Listed]] = field(default_factory=dict)

    def size(self, hour: float) -> int:
        """Return the bytes that were captured in an hour, of both variants."""
        return sum(one.size for variant in self.variants for one in self._objects(variant, hour))

    def read(self, after: float, until: float, counts: Counter[str]) -> Iterator[Request]:
        """Yield the requests after one time until another one, nearly in the order of time, without smoke tests.

        Counts ``malformed`` lines, and requests that were ``undelivered`` when they were old enough, of the objects
        that arrived in this time.
        """
        hour = after // HOUR * HOUR - HOUR
        while hour <= until + HOUR:
            for variant, challenger in self.variants.items():
                for one in self._objects(variant, hour):
                    if one.arrived + CLOCK_SLACK > after:
                        fresh = one.arrived + CLOCK_SLACK <= until
                        yield from self._of_object(one, hour, (after, until), challenger, counts if fresh else None)
            hour += HOUR

    def _of_object(
        self, one: Listed, hour: float, wanted: tuple[float, float], challenger: bool, counts: Counter[str] | None
    ) -> Iterator[Request]:
        for line in json_lines(self.s3, self.bucket, one.key):
            found = None if line is None else _request(line, challenger, one.arrived, self.responses)
            if found is None or not hour - HOUR <= found.time < min(hour + 2 * HOUR, one.arrived + CLOCK_SLACK):
                problem = "malformed"
            elif found.id.startswith(_SMOKE_TEST):
                continue
            elif found.delivered > found.time + self.window:
                problem = "undelivered"
            else:
                if wanted[0] < found.time <= wanted[1]:
                    yield found
                continue
            if counts is not None:
                counts[problem] += 1

    def _objects(self, variant: str, hour: float) -> list[Listed]:
        prefix = f"{self.prefix}/{variant}/{datetime.fromtimestamp(hour, timezone.utc):%Y/%m/%d/%H}/"
        if prefix not in self._listed:
            self._listed[prefix] = list(listed(self.s3, self.bucket, prefix))
        return self._listed[prefix]


def _request(line: Mapping[str, Any], challenger: bool, delivered: float, responses: bool) -> Request | None:
    try:
        metadata, output = line["eventMetadata"], line["captureData"].get("endpointOutput")
        name = metadata.get("inferenceId") or metadata["eventId"]
        time = datetime.fromisoformat(metadata["inferenceTime"].replace("Z", "+00:00"))
        response = decoded(output) if responses and output is not None else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not isinstance(name, str):
        return None
    return Request(name, _seconds(time), challenger, delivered, response)


def _seconds(time: datetime) -> float:
    return (time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)).timestamp()
