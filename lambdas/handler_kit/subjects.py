"""What a request is about: AWS's errors often name neither the job nor the object, so it is read from the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# The members of a request that name a thing end in one of these.
_NAMES = ("name", "arn", "id", "key", "bucket", "uri", "url")
_MAX_NAMED, _MAX_CHARACTERS = 4, 200
_SUBJECT = "Subject"


def name_subjects(client: Any) -> None:
    """Add the subject of the request to every error of a client."""
    client.meta.events.register("before-parameter-build", _remember)
    client.meta.events.register("after-call", _add)


def subject(error: ClientError) -> str:
    """What the refused request was about, such as ``TrainingJobName churn-1``; empty when it is not known."""
    found: str = error.response.get("Error", {}).get(_SUBJECT, "")  # type: ignore[typeddict-item]
    return found


def _remember(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    named = [
        f"{key} {value}"
        for key, value in params.items()
        if isinstance(value, str) and key.lower().endswith(_NAMES) and len(value) <= _MAX_CHARACTERS
    ]
    context[_SUBJECT] = ", ".join(named[:_MAX_NAMED])


def _add(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    if isinstance(parsed.get("Error"), dict) and context.get(_SUBJECT):
        parsed["Error"][_SUBJECT] = context[_SUBJECT]
