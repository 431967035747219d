"""Where the record of champion and challenger is kept: one object, replaced only if nobody replaced it meanwhile."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .ab_record import Record
from .clients import code_of, explained

if TYPE_CHECKING:
    from .pipeline import DeployedPipeline

_MISSING = frozenset({"NoSuchKey", "404"})
_DENIED = frozenset({"AccessDenied", "403"})
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class LostRaceError(MlopsError):
    """Somebody else has written the record since it was read.

    Attributes:
        holder: Who, and why, for people.
    """

    def __init__(self, holder: str, pipeline: str) -> None:
        """Say who."""
        self.holder = holder
        super().__init__(
            f"{holder} was faster and changed the A/B test of {pipeline}; nothing was changed by this command: look"
            f" with `mlops ab status {pipeline}`, and run it again"
        )


@dataclass(frozen=True)
class Store:
    """The record of one pipeline.

    Attributes:
        pipeline: The pipeline.
    """

    pipeline: DeployedPipeline

    @property
    def key(self) -> str:
        """Key of the record in the artifact bucket."""
        return f"ab/{self.pipeline.name}/record.json"

    @property
    def uri(self) -> str:
        """URI of the record."""
        return f"s3://{self.pipeline.artifact_bucket}/{self.key}"

    def read(self) -> tuple[Record, str | None]:
        """Return the record and its ETag; an empty record and None when there is none.

        Raises MlopsError when the object is not such a record.
        """
        from botocore.exceptions import ClientError

        with explained(f"the record of champion and challenger of {self.pipeline.name} could not be read"):
            try:
                answer = self.pipeline.client("s3").get_object(Bucket=self.pipeline.artifact_bucket, Key=self.key)
                body = answer["Body"].read()
            except ClientError as error:
                if code_of(error) not in _MISSING and not self._is_missing(error):
                    raise
                return Record(), None
        try:
            return Record.from_json(json.loads(body)), str(answer["ETag"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise MlopsError(
                f"{self.uri} is not the record of champion and challenger ({error}): restore its last good version"
            ) from error

    def _is_missing(self, error: Any) -> bool:
        """Whether S3 denies access because there is no record: it does to a person who may list only some folders."""
        if code_of(error) not in _DENIED:
            return False
        bucket = self.pipeline.artifact_bucket
        found = self.pipeline.client("s3").list_objects_v2(Bucket=bucket, Prefix=self.key, MaxKeys=1)
        return self.key not in [one["Key"] for one in found.get("Contents", [])]

    def write(self, record: Record, etag: str | None, *, by: str, why: str) -> tuple[Record, str]:
        """Write the record if the object still has this ETag; return what was written, and the new ETag.

        Raises LostRaceError, which names the writer, when somebody else has written it in between.
        """
        from botocore.exceptions import ClientError

        written = replace(record, version=record.version + 1, updated=time.time(), by=by, why=why)
        request: dict[str, Any] = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        request |= {"Bucket": self.pipeline.artifact_bucket, "Key": self.key, "ContentType": "application/json"}
        body = json.dumps(written.to_json(), indent=2, sort_keys=True).encode()
        with explained(f"the record of champion and challenger of {self.pipeline.name} could not be written"):
            try:
                answer = self.pipeline.client("s3").put_object(Body=body, **request)
            except ClientError as error:
                if code_of(error) not in _LOST and not (etag is not None and code_of(error) in _MISSING):
                    raise
                raise self._lost() from error
        return written, str(answer["ETag"])

    def _lost(self) -> LostRaceError:
        record, _ = self.read()
        intent = record.intent
        who, what = (record.by, record.why) if intent is None else (intent.by, intent.kind)
        return LostRaceError(f"{who or 'somebody else'}{f' ({what})' if what else ''}", self.pipeline.name)
