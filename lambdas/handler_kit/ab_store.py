"""Where the record of champion and challenger is kept: one object, which is replaced only if nobody replaced it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.ab_record import Record
from handler_kit.errors import StepError
from handler_kit.objects import LostRaceError, read_object, replace_object

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS = 10


@dataclass(frozen=True)
class Store:
    """The record of one pipeline.

    Attributes:
        s3: The client.
        bucket: The artifact bucket.
        pipeline: Name of the pipeline.
    """

    s3: Any
    bucket: str
    pipeline: str

    @property
    def key(self) -> str:
        """Key of the record."""
        return f"ab/{self.pipeline}/record.json"

    @property
    def uri(self) -> str:
        """URI of the record."""
        return f"s3://{self.bucket}/{self.key}"

    def read(self) -> tuple[Record, str | None]:
        """Read the record and its ETag; an empty record and None when there is none.

        Raises StepError when the object is not such a record.
        """
        found = read_object(self.s3, self.bucket, self.key)
        if found is None:
            return Record(), None
        body, etag = found
        try:
            return Record.from_json(json.loads(body)), etag
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise StepError(
                f"{self.uri} is not the record of champion and challenger ({error}). Restore its last good version."
            ) from error

    def write(self, record: Record, etag: str | None, *, now: float, by: str, why: str) -> str:
        """Write the record if the object still has this ETag, or still does not exist; return the new ETag.

        Raises LostRaceError when somebody else has written it in between.
        """
        written = replace(record, version=record.version + 1, updated=now, by=by, why=why)
        body = json.dumps(written.to_json(), indent=2, sort_keys=True).encode()
        lost = f"{self.uri} was written by somebody else in between. Retry."
        new = replace_object(self.s3, self.bucket, self.key, body, etag, lost)
        logs.info("record of champion and challenger written", version=written.version, by=by, why=why)
        return new

    def change(self, change: Callable[[Record], Record], *, now: float, by: str, why: str) -> Record:
        """Read, change and write the record, again if somebody else was faster; ``change`` may raise StepError.

        Nothing is written when ``change`` returns the record that it was given.
        """
        for _ in range(ATTEMPTS):
            record, etag = self.read()
            changed = change(record)
            if changed is record:
                return record
            try:
                self.write(changed, etag, now=now, by=by, why=why)
            except LostRaceError:
                continue
            return replace(changed, version=record.version + 1, updated=now, by=by, why=why)
        raise StepError(f"{self.uri} was changed by others {ATTEMPTS} times in a row. Retry.")
