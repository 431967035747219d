"""What is published: the data of metrics, and messages to people."""

from __future__ import annotations

import math
import string
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.constraints.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_PUT, _PUBLISH = ("cloudwatch:PutMetricData",), ("sns:Publish",)
_VALUE, _SUBJECT = "InvalidParameterValue", "InvalidParameter"
_MAX_METRICS, _LIMIT, _MAX_SUBJECT = 1_000, 2.0**360, 100
_OLDEST, _NEWEST = timedelta(days=14), timedelta(hours=2)


def _size(params: Params, _: Account) -> str | None:
    if len(params.get("MetricData", [])) > _MAX_METRICS:
        return f"The collection MetricData must not have a size greater than {_MAX_METRICS}."
    return None


def _values(params: Params, _: Account) -> str | None:
    for member, datum in _members(params):
        value = float(datum.get("Value", 0.0))
        if math.isnan(value):
            return f"The value NaN for parameter {member}.Value is invalid."
        if abs(value) > _LIMIT:
            return f"The value {value} for parameter {member}.Value is invalid."
    return None


def _timestamps(params: Params, _: Account) -> str | None:
    now = utc_now()
    for member, datum in _members(params):
        at = datum.get("Timestamp")
        if isinstance(at, datetime):
            at = at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)
            if not now - _OLDEST <= at <= now + _NEWEST:
                return f"The parameter {member}.Timestamp must be within two weeks before and two hours after now."
    return None


def _dimensions(params: Params, _: Account) -> str | None:
    for member, datum in _members(params):
        for number, dimension in enumerate(datum.get("Dimensions", []), start=1):
            for name in ("Name", "Value"):
                text = str(dimension.get(name, ""))
                if not text.isascii() or not text.isprintable() or not text.strip():
                    return f"The value {text!r} for parameter {member}.Dimensions.member.{number}.{name} is invalid."
    return None


def _subject(params: Params, _: Account) -> str | None:
    subject = params.get("Subject")
    if subject is None:
        return None
    begins = subject[:1] in string.ascii_letters + string.digits + string.punctuation
    if not subject or not begins or not subject.isascii() or not subject.isprintable() or len(subject) >= _MAX_SUBJECT:
        return "Invalid parameter: Subject"
    return None


def _members(params: Params) -> Iterator[tuple[str, Params]]:
    for number, datum in enumerate(params.get("MetricData", []), start=1):
        yield f"MetricData.member.{number}", datum


_API = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference"
_DATA = f"{_API}/API_PutMetricData.html"

RULES = (
    Rule(_PUT, _VALUE, f"{_DATA}: limited to no more than 1000 different metrics", _size),
    Rule(_PUT, _VALUE, f"{_DATA}: NaN, +Infinity, -Infinity are not supported", _values),
    Rule(_PUT, _VALUE, f"{_DATA}: as much as two weeks before the current date, up to two hours after it", _timestamps),
    Rule(_PUT, _VALUE, f"{_API}/API_Dimension.html", _dimensions),
    Rule(_PUBLISH, _SUBJECT, "Subject: ASCII text, no line breaks, less than 100 characters long.", _subject),
)
