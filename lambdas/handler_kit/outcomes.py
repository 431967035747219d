"""Outcomes ("ground truth") that were reported, in the form of SageMaker's Model Monitor.

An outcome arrives when its object is written to S3; the first one to arrive is final. So objects must never be
overwritten: an outcome in an object that was would arrive again, later.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from handler_kit.json_lines import Listed, json_lines, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The clocks of S3 and of the endpoint may differ by so much.
CLOCK_SLACK = 60.0
# The hour in a key is the reporter's, whose time zone is not known.
_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was reported of one request.

    Attributes:
        text: The value: CSV, or JSON.
        is_json: Whether it is JSON.
    """

    text: str
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line of an object.

    Attributes:
        at: When the object was written, in seconds since 1970.
        id: The inference id, or event id, that it names; empty if the line is malformed.
        outcome: The outcome; None if the line is malformed.
    """

    at: float
    id: str
    outcome: Outcome | None


@dataclass(frozen=True)
class Outcomes:
    """The outcomes that were reported since a time, such as the begin of a test.

    Attributes:
        s3: The client.
        bucket: Bucket with the objects.
        prefix: Their prefix, with the last slash.
        since: That time, in seconds since 1970.
    """

    s3: Any
    bucket: str
    prefix: str
    since: float
    _listed: list[Listed] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """Where outcomes are to be uploaded."""
        return f"s3://{self.bucket}/{self.prefix}"

    def last(self) -> float | None:
        """Return when the newest object was written; None if there is none."""
        return max((one.arrived for one in self._objects()), default=None)

    def read(self, after: float, until: float) -> Iterator[Arrival]:
        """Yield what has arrived after one time (a minute earlier, as clocks differ) until another one, in order."""
        for one in self._objects():
            if one.arrived + CLOCK_SLACK > after and one.arrived <= until:
                for line in json_lines(self.s3, self.bucket, one.key):
                    yield _arrival(line, one.arrived)

    def _objects(self) -> list[Listed]:
        if not self._listed:
            first = datetime.fromtimestamp(self.since - _A_DAY, timezone.utc)
            found = listed(self.s3, self.bucket, self.prefix, f"{self.prefix}{first:%Y/%m/%d/%H}")
            self._listed.extend(sorted((one for one in found if one.arrived >= self.since), key=_order))
        return self._listed


def decoded(side: Mapping[str, Any]) -> str:
    """Return the data of a captured response or of an outcome as text. Raises ValueError if they cannot be read."""
    data, encoding = side["data"], side.get("encoding", "CSV")
    if isinstance(data, (bool, int, float)):
        data = str(data).lower()
    if not isinstance(data, str):
        raise ValueError("its data is not text")
    if encoding != "BASE64":
        return data
    try:
        return base64.b64decode(data, validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _order(one: Listed) -> tuple[float, str]:
    return one.arrived, one.key


def _arrival(line: Mapping[str, Any] | None, at: float) -> Arrival:
    try:
        if line is None:
            return Arrival(at, "", None)
        name, truth = line["eventMetadata"]["eventId"], line["groundTruthData"]
        is_json = truth.get("encoding") == "JSON"
        if is_json and not isinstance(truth["data"], str):
            outcome = Outcome(json.dumps(truth["data"], sort_keys=True), is_json)
        else:
            outcome = Outcome(decoded(truth).strip(), is_json)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Arrival(at, "", None)
    if not isinstance(name, str) or not name or not outcome.text:
        return Arrival(at, "", None)
    return Arrival(at, name, outcome)
