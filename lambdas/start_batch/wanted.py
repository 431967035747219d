"""What an event asks to score: one version of an object, or everything below the folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from handler_kit.errors import ConfigurationError
from handler_kit.objects import object_version

_DIGITS = 20


@dataclass(frozen=True)
class Wanted:
    """The input of a job.

    Attributes:
        key: Key of the object, or the folder.
        version_id: Version of the object; ``None`` for a folder.
        identity: What makes it different from every other input; the same when the event is delivered again.
    """

    key: str
    version_id: str | None
    identity: str

    def job_name(self, prefix: str) -> str:
        """The name of the job: always the same for an input, so that no version is scored twice."""
        return f"{prefix}-{hashlib.sha256(self.identity.encode()).hexdigest()[:_DIGITS]}"

    def objects(self, s3: Any, bucket: str) -> list[dict[str, Any]]:
        """The objects as they are now: key, version, size. A folder's markers and empty objects are left out."""
        if self.version_id is not None:
            found = object_version(s3, bucket, self.key)
            return [] if found is None else [found]
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=self.key)
        return [
            {"key": one["Key"], "version_id": one["VersionId"], "bytes": one["Size"]}
            for page in pages
            for one in page.get("Versions", [])
            if one["IsLatest"] and one["Size"] > 0 and not one["Key"].endswith("/")
        ]


def wanted(event: dict[str, Any], folder: str) -> Wanted:
    """Read an event of S3 or of a schedule. Raises ConfigurationError for any other."""
    detail, event_id = event.get("detail"), event.get("id")
    if event.get("detail-type") == "Scheduled Event" and isinstance(event_id, str) and event_id:
        return Wanted(folder, None, f"{folder}\n{event_id}")
    try:
        key, version = str(detail["object"]["key"]), str(detail["object"]["version-id"])  # type: ignore[index]
    except (KeyError, TypeError):
        raise ConfigurationError(
            "The event has no object with a version; this function is invoked by the pipeline's EventBridge rule, and"
            " the bucket must have versioning."
        ) from None
    if not key.startswith(folder):
        raise ConfigurationError(f"The object {key!r} is not in {folder}, whose files are scored.")
    return Wanted(key, version, f"{key}\n{version}")
