"""Log lines that CloudWatch can search: one JSON object per line."""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import logging
import os
import stat
import sys
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

# Below half of a pipe, a line never blocks, and neither do those that other processes write at the same moment.
_PIPE_BYTES = 32 * 1024
_PATIENCE_SECONDS = 0.1


class JsonFormatter(logging.Formatter):
    """``{"time": ..., "level": ..., "message": ...}`` and the members of ``extra={"fields": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "process": record.process,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PipeHandler(logging.StreamHandler["TextIO"]):
    """Writes lines to a stream. If that is a pipe that nobody reads, it drops them: waiting would stop the server."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._dropped = 0
        self._is_pipe = False
        # In a test, there may be no file behind the stream.
        with contextlib.suppress(OSError, ValueError):
            self._is_pipe = stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)

    def emit(self, record: logging.LogRecord) -> None:
        if not self._has_room():
            self._dropped += 1
            return
        if self._dropped:
            reason = f"{self._dropped} log lines were dropped, because nobody read the log"
            super().emit(logging.LogRecord(record.name, logging.WARNING, "", 0, reason, None, None))
            self._dropped = 0
        super().emit(record)

    def _has_room(self) -> bool:
        # After the first line that was dropped, the next ones do not wait.
        deadline = time.monotonic() + (0 if self._dropped else _PATIENCE_SECONDS)
        while self._unread() > _PIPE_BYTES:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return True

    def _unread(self) -> int:
        """The bytes in the pipe; 0 for other files, which do not block."""
        size = array.array("i", [0])
        if self._is_pipe:
            fcntl.ioctl(self.stream.fileno(), termios.FIONREAD, size)
        return size[0]


def configure(level: int) -> None:
    """Send every log line to standard output."""
    handler = PipeHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=level, force=True)
