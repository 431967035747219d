"""The output of a job or build: kept in memory and sent to CloudWatch Logs."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.clock import utc_now

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_FLUSH_SECONDS = 0.5
_MAXIMUM_BATCH = 1000
_MAXIMUM_EVENT_CHARACTERS = 60_000
_MAXIMUM_LINES = 200_000


class JobLog:
    """A log stream. A thread of its own sends the lines in batches; `close()` sends the rest.

    When the role may not write logs, the log is lost but the job does not fail, as on AWS; this is logged once.
    """

    def __init__(self, account: Account, group: str, stream: str, client: Any = None) -> None:
        self.group = group
        self.stream = stream
        self._account = account
        self._client = client if client is not None else account.client("logs")
        self._lines: deque[str] = deque(maxlen=_MAXIMUM_LINES)
        self._unsent: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = account.spawn(f"log-{stream}", self._send_until_closed, always=True)

    def write(self, line: str) -> None:
        """Add a line. Safe from any thread."""
        event = {"timestamp": int(utc_now().timestamp() * 1000), "message": line[:_MAXIMUM_EVENT_CHARACTERS] or " "}
        with self._lock:
            self._lines.append(line)
            self._unsent.append(event)

    def lines(self) -> list[str]:
        """The lines so far."""
        with self._lock:
            return list(self._lines)

    def tail(self, count: int) -> str:
        """The last lines that are not empty, as one text."""
        return "\n".join([line for line in self.lines() if line.strip()][-count:])

    def close(self) -> None:
        """Send the remaining lines and stop."""
        self._closed.set()
        self._thread.join()

    def _send_until_closed(self) -> None:
        try:
            self._create()
            while not self._closed.wait(_FLUSH_SECONDS):
                self._send()
            self._send()
        except (BotoCoreError, ClientError) as error:
            if not self._account.closing.is_set():
                self._account.log(f"no logs are written to {self.group}: {error}")

    def _create(self) -> None:
        exceptions = self._client.exceptions
        with contextlib.suppress(exceptions.ResourceAlreadyExistsException):
            try:
                self._client.create_log_stream(logGroupName=self.group, logStreamName=self.stream)
            except exceptions.ResourceNotFoundException:
                with contextlib.suppress(exceptions.ResourceAlreadyExistsException):
                    self._client.create_log_group(logGroupName=self.group)
                self._client.create_log_stream(logGroupName=self.group, logStreamName=self.stream)

    def _send(self) -> None:
        while True:
            with self._lock:
                batch, self._unsent = self._unsent[:_MAXIMUM_BATCH], self._unsent[_MAXIMUM_BATCH:]
            if not batch:
                return
            self._client.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=batch)
