"""Release records: one JSON object for each release, from which a rollback takes the outputs of actions again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import ConfigurationError, StepError, error_code
from handler_kit.report import Success
from handler_kit.settings import NONE

# For an object that does not exist, S3 returns "access denied" to a function that may not list the bucket.
_MISSING = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})
# Lambda delivers an event again within six hours; no pipeline makes this many releases in that time.
_LOOK_BACK = 50
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_FILE = re.compile(r"([1-9][0-9]{0,8})\.json")


@dataclass(frozen=True)
class Releases:
    """The release records of one pipeline; its artifact bucket may contain records of other pipelines too."""

    s3: Any
    bucket: str
    pipeline: str

    @property
    def prefix(self) -> str:
        """The folder of the records."""
        return f"releases/{self.pipeline}/"

    def key_of(self, number: int | str) -> str:
        """The key of a release's record in the artifact bucket."""
        return f"{self.prefix}{number}.json"

    def newest_number(self) -> int:
        """The highest release number; 0 before the first release."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        names = (item["Key"].removeprefix(self.prefix) for page in pages for item in page.get("Contents", []))
        return max((int(match[1]) for match in map(_FILE.fullmatch, names) if match), default=0)

    def read(self, number: int | str) -> dict[str, Any]:
        """Read a record. Raises ConfigurationError when it does not exist, or is not the record of a release."""
        if not _NUMBER.fullmatch(str(number)):
            raise ConfigurationError(f"pipeline variable Release: must be a release number or {NONE}, got {number!r}")
        place = f"s3://{self.bucket}/{self.key_of(number)}"
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=self.key_of(number))["Body"].read()
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise ConfigurationError(
                    f"There is no release {number}, or this function may not read it ({place}). `mlops releases"
                    f" {self.pipeline}` lists all."
                ) from error
            raise
        try:
            record = json.loads(body)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("steps"), dict):
            raise ConfigurationError(f"{place} is not the record of a release. Restore its first version.")
        return record

    def number_of(self, execution_id: str, newest: int) -> int | None:
        """The release number of an execution, among the last 50 up to ``newest``; ``None`` when it has none.

        A record that cannot be read is skipped: it must not block later releases.
        """
        for number in range(newest, max(0, newest - _LOOK_BACK), -1):
            try:
                record = self.read(number)
            except ConfigurationError as error:
                logs.info("a release record cannot be read", release=number, reason=str(error))
                continue
            if record.get("execution_id") == execution_id:
                return number
        return None

    def replay(self, release: str, action: str) -> Success | None:
        """The outputs of an action when the release was made; ``None`` when no release is deployed again.

        Raises StepError when the record does not contain them.
        """
        if release == NONE:
            return None
        outputs = self.read(release)["steps"].get(action)
        if not isinstance(outputs, dict):
            raise StepError(
                f"The record of release {release} does not contain the outputs of {action}, so the release cannot be"
                f" deployed again. Choose another one: `mlops releases {self.pipeline}` lists all."
            )
        logs.info("taken from a release", release=release, action=action)
        return Success({name: str(value) for name, value in outputs.items()}, summary=f"taken from release {release}")
