"""Users who stay at one variant during an A/B test, for the application that invokes the endpoint.

Needs boto3 only. One object serves all threads of a program::

    assignments = StickyAssignment("iris-1a2b3c", "iris-artifacts")
    answer = assignments.invoke(
        runtime, user_id, EndpointName="iris-1a2b3c-production", ContentType="text/csv", Body=row
    )
    keep(answer["InferenceId"])  # The outcome is reported under it.

or, with a call of one's own::

    found = assignments.variant(user_id)
    target = {} if found.target_variant is None else {"TargetVariant": found.target_variant}
    answer = runtime.invoke_endpoint(..., InferenceId=found.inference_id, **target)

TargetVariant overrides the weights: it reaches a challenger whose weight is 0, and SageMaker answers with a
``ValidationError`` once its variant is gone. So ask for the assignment before each request, and on that error send the
request again without TargetVariant, as ``invoke`` does.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAX_ID = 64
_UNIT_DIGITS = 32
# Without a fresh record for this many times ``ttl_seconds``, nobody is sent to a variant any more.
_STALE = 5
_TIMEOUT_SECONDS = 2


@dataclass(frozen=True)
class Assignment:
    """Where a request goes.

    Attributes:
        target_variant: Value of TargetVariant; None when no test runs: then the request has none.
        inference_id: Value of InferenceId. Keep it to report the outcome: it names the user, under a hash.
    """

    target_variant: str | None
    inference_id: str


@dataclass(frozen=True)
class _Split:
    """A test as far as callers need it."""

    salt: str
    share: float
    champion: str
    challenger: str


class StickyAssignment:
    """Assigns users to variants: the same user to the same one, and to the challenger as many as its share says.

    While the challenger's share grows, those who are there stay there. Each test has a salt of its own, so that the
    users of one test's challenger are not those of the next one's.
    """

    def __init__(
        self,
        pipeline_name: str,
        bucket: str,
        *,
        s3: Any = None,
        ttl_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet.

        Args:
            pipeline_name: Name of the pipeline.
            bucket: Its artifact bucket; the application needs ``s3:GetObject`` for ``ab/<pipeline>/record.json`` in it.
            s3: A client of S3; None makes one that gives up after seconds, so that S3 cannot delay the application.
            ttl_seconds: The record is read at most this often: this long after an abort, and the time of a read, nobody
                is sent to the challenger any more.
            clock: Seconds that only grow.
        """
        self._bucket, self._key = bucket, f"ab/{pipeline_name}/record.json"
        self._ttl, self._clock = ttl_seconds, clock
        self._s3 = s3
        self._reading = threading.Lock()
        self._split: _Split | None = None
        self._read_at: float | None = None
        self._tried_at: float | None = None

    def variant(self, key: str) -> Assignment:
        """Assign a user, by a key that is always the same for the same user, such as an account number."""
        split = self._current()
        if split is None:
            return Assignment(None, uuid.uuid4().hex)
        digest = hashlib.sha256(f"{split.salt}:{key}".encode()).digest()
        is_challengers = int.from_bytes(digest[:8], "big") / 2**64 < split.share
        inference_id = f"{digest.hex()[:_UNIT_DIGITS]}.{uuid.uuid4().hex}"[:_MAX_ID]
        return Assignment(split.challenger if is_challengers else split.champion, inference_id)

    def invoke(self, runtime: Any, key: str, **request: Any) -> dict[str, Any]:
        """Call InvokeEndpoint for a user; without TargetVariant if the endpoint no longer has the variant.

        Return its response, and in the member ``InferenceId`` the id under which the outcome is to be reported.

        Args:
            runtime: A client of ``sagemaker-runtime``.
            key: Key of the user.
            **request: Arguments of InvokeEndpoint.
        """
        from botocore.exceptions import ClientError

        found = self.variant(key)
        request["InferenceId"], named = found.inference_id, {"InferenceId": found.inference_id}
        if found.target_variant is not None:
            try:
                answer: dict[str, Any] = runtime.invoke_endpoint(**request, TargetVariant=found.target_variant)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != "ValidationError":
                    raise
            else:
                return answer | named
        fallback: dict[str, Any] = runtime.invoke_endpoint(**request)
        return fallback | named

    def _current(self) -> _Split | None:
        """The split now. One thread reads; the others meanwhile use what is known, but wait for the first read."""
        if self._is_due() and self._reading.acquire(blocking=self._tried_at is None):
            try:
                if self._is_due():
                    self._read()
            finally:
                self._reading.release()
        read_at = self._read_at
        if read_at is None or self._clock() - read_at > _STALE * self._ttl:
            return None
        return self._split

    def _is_due(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= self._ttl

    def _read(self) -> None:
        now = self._clock()
        # Whatever goes wrong, the application goes on with what is known, and after a while without.
        with suppress(Exception):
            self._split = _split(self._record())
            self._read_at = now
        self._tried_at = now

    def _record(self) -> Mapping[str, Any] | None:
        from botocore.exceptions import ClientError

        if self._s3 is None:
            self._s3 = _client()
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=self._key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in ("NoSuchKey", "404"):
                raise
            return None
        record: Mapping[str, Any] = json.loads(body)
        return record


def _split(record: Mapping[str, Any] | None) -> _Split | None:
    """The split of the test that runs, or None; an abort that has begun ends it."""
    test = None if record is None else record["test"]
    if record is None or test is None or test["state"] != "running" or record["challenger"] is None:
        return None
    if record["intent"] is not None and record["intent"]["kind"] == "abort":
        return None
    return _Split(
        salt=str(test["salt"]),
        share=float(record["share"]),
        champion=str(record["champion"]["slot"]),
        challenger=str(record["challenger"]["slot"]),
    )


def _client() -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=_TIMEOUT_SECONDS, read_timeout=_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    client: Any = boto3.client("s3", config=config)
    return client
