"""An alarm: what the function that watches production has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.errors import ConfigurationError

REASONS = ("drift", "quality", "estimated_quality")
MAX_FEATURES = 20
MAX_SENTENCE = 500
_MAX_ID = 100
# EventBridge's sources: the schedule, and an upload.
_EVENTS = ("aws.events", "aws.s3")


@dataclass(frozen=True)
class Alarm:
    """
    Attributes:
        id: Stays the same when the alarm is delivered again.
        reason: One of ``REASONS``.
        release: The release that the alarm is about; None for a champion whose release has no record.
        features: The features that have drifted.
        sentence: What has been found, for people.
    """

    id: str
    reason: str
    release: int | None
    features: tuple[str, ...]
    sentence: str


def read_alarm(event: object, pipeline: str) -> Alarm | None:
    """Read an alarm; ``None`` for an event of EventBridge, which only says that it is time to look.

    Raises ConfigurationError when it is neither, or is about another pipeline.
    """
    if not isinstance(event, dict):
        raise ConfigurationError("The event is neither an alarm nor an event of EventBridge.")
    if event.get("source") in _EVENTS:
        return None
    problems = [f"{name}: must be a text that is not empty" for name in ("id", "sentence") if not _is_text(event, name)]
    if event.get("reason") not in REASONS:
        problems.append(f"reason: must be one of {', '.join(REASONS)}")
    if event.get("pipeline") != pipeline:
        problems.append(f"pipeline: must be {pipeline}, got {event.get('pipeline')!r}")
    features = event.get("features", [])
    if not isinstance(features, list) or not all(isinstance(one, str) for one in features):
        problems.append("features: must be a list of names")
    if problems:
        raise ConfigurationError(f"The alarm about the pipeline {pipeline} is malformed: {'; '.join(problems)}")
    return Alarm(
        id=event["id"][:_MAX_ID],
        reason=event["reason"],
        release=_number(event.get("release")),
        features=tuple(features[:MAX_FEATURES]),
        # A line break must not add a line to what the approver reads.
        sentence=" ".join(event["sentence"].split())[:MAX_SENTENCE],
    )


def _is_text(event: dict[str, Any], name: str) -> bool:
    return isinstance(event.get(name), str) and bool(event[name].strip())


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
