"""One warm child process that runs a Lambda function's handler."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.processes import signal_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.processes import ChildProcesses

MARK = "\x1e"  # the same as in bootstrap.py, which imports nothing from this package
SHIFTED = "LOCAL_AWS_CLOCK_SHIFTED"  # the same as in bootstrap.py
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_LOG_DRAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Outcome:
    """The outcome of one invocation: the JSON of the result or of the error, and the log lines."""

    payload: bytes
    failed: bool
    logs: list[str]

    @property
    def reason(self) -> str:
        """The error as text; empty when the invocation succeeded."""
        if not self.failed:
            return ""
        failure = json.loads(self.payload)
        return f"{failure.get('errorType', 'Error')}: {failure.get('errorMessage', '')}"


class Worker:
    """A process that handles one event at a time, until `end()` or until it exits.

    Only a process that starts as `shifted` can have a clock that is ahead: what a handler has imported keeps its clock.
    """

    def __init__(
        self,
        processes: ChildProcesses,
        code: Path,
        handler: str,
        environment: Mapping[str, str],
        *,
        shifted: bool = False,
    ) -> None:
        self.log_stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.access_key = environment["AWS_ACCESS_KEY_ID"]
        self._is_shifted, self._ahead = shifted, 0.0
        self._processes = processes
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._logs: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process = processes.start(
            [sys.executable, "-E", "-s", _BOOTSTRAP, code, handler],
            cwd=code,
            env={**environment, **({SHIFTED: "1"} if shifted else {})},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for stream, lines in ((self._process.stdout, self._answers), (self._process.stderr, self._logs)):
            threading.Thread(target=_pump, args=(stream, lines), daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process can handle another event."""
        return self._process.poll() is None

    def can_be(self, ahead: float) -> bool:
        """Whether the clock of the process can be ahead of real time by these seconds: it never goes back.

        What a process has remembered of a later time, such as boto3's rate limits, would make it wait until then.
        """
        return self._ahead <= ahead and (self._is_shifted or ahead == 0)

    def run(self, request_id: str, arn: str, event: Any, timeout_seconds: float, ahead: float = 0.0) -> Outcome:
        """Send one event and wait for the result; after a timeout or a crash the worker is not alive any more.

        The clock of the process is `ahead` of real time, by seconds.
        """
        deadline, self._ahead = time.time() + timeout_seconds, ahead
        request = {"id": request_id, "arn": arn, "event": event, "deadline": deadline, "ahead": ahead}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._answers.get(timeout=timeout_seconds)
        except (BrokenPipeError, ValueError):
            answer = ""
        except queue.Empty:
            self.end()
            return self._timed_out(request_id, timeout_seconds)
        if not answer:
            return self._died(request_id)
        read = json.loads(answer)
        logs = self._drain(request_id)
        if "failure" in read:
            return Outcome(json.dumps(read["failure"]).encode(), True, logs)
        return Outcome(read["result"].encode(), False, logs)

    def end(self) -> None:
        """Kill the process without SIGTERM first, as AWS does."""
        signal_group(self._process, signal.SIGKILL)
        self._processes.end(self._process, grace_seconds=0.0)

    def _timed_out(self, request_id: str, seconds: float) -> Outcome:
        now = utc_now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        message = f"{now} {request_id} Task timed out after {seconds:.2f} seconds"
        return _sandbox_failure("Sandbox.Timedout", message, self._drain(request_id))

    def _died(self, request_id: str) -> Outcome:
        status = self._process.wait()
        how = f"exit status {status}" if status >= 0 else f"signal {-status}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        return _sandbox_failure("Runtime.ExitError", message, self._drain(request_id))

    def _drain(self, request_id: str) -> list[str]:
        lines: list[str] = []
        end = MARK + request_id
        while True:
            try:
                line = self._logs.get(timeout=_LOG_DRAIN_SECONDS)
            except queue.Empty:
                return lines
            if not line:
                return lines
            text = line.rstrip("\n")
            if text.endswith(end):  # the handler's last line may have no line break
                return [*lines, text[: -len(end)]] if len(text) > len(end) else lines
            lines.append(text)


def _sandbox_failure(kind: str, message: str, logs: list[str]) -> Outcome:
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return Outcome(payload, True, [*logs, message])


def _pump(stream: Any, lines: queue.SimpleQueue[str]) -> None:
    """Move lines to a queue; an empty string marks the end of the stream."""
    with stream:
        for line in stream:
            lines.put(line.decode("utf-8", "replace"))
    lines.put("")
