"""Parquet: read by a process of its own, which a broken file can neither fill without limit nor stop for long."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.formats.limits import DEFAULT, Limits
from sagemaker_contract.formats.parquet_process import READY, REQUEST, RESPONSE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from sagemaker_contract.formats.records import Records

_PROGRAM_FOLDER = Path(__file__).resolve().parents[2]
_START_SECONDS = 30
_READ_SECONDS = 30
_IDLE_SECONDS = 60


def decode_parquet(body: bytes, limits: Limits = DEFAULT) -> Records:
    """Read a Parquet file with numeric columns."""
    if not body:
        raise InputError("the body is empty")
    return reader.read(body, limits)


class Reader:
    """The process, started for the first file. Only one thread at a time uses it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self._used = 0.0

    def read(self, body: bytes, limits: Limits) -> Records:
        with self._lock:
            self._used = time.monotonic()
            if self.process is None:
                self.process = _start()
            process = self.process
            try:
                with _killed_after(process, _READ_SECONDS):
                    return _exchange(process, body, limits)
            except (OSError, EOFError):
                # It crashed, or its time was over.
                self._end()
                raise InputError("the body is not a Parquet file that can be read") from None

    def end_if_idle(self) -> None:
        """End the process if no file came for a minute; must be called regularly."""
        if self.process is not None and time.monotonic() - self._used > _IDLE_SECONDS:
            self.end()

    def end(self) -> None:
        # While a file is read, the process is not idle.
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        if self.process is not None:
            _end(self.process)
            self.process = None


reader = Reader()


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, [str(_PROGRAM_FOLDER), os.environ.get("PYTHONPATH")]))
    # Unlike the library's own allocator, that of the system keeps within the limit, and gives memory back.
    environment = {**os.environ, "PYTHONPATH": path, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    command = [sys.executable, "-c", "from sagemaker_contract.formats.parquet_process import main; main()"]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    except OSError as error:
        # There are too many processes or open files, or too little memory.
        raise RequestError(503, f"Parquet cannot be read now ({error.strerror}); try again") from error
    assert process.stdout is not None
    try:
        with _killed_after(process, _START_SECONDS):
            if process.stdout.read(len(READY)) == READY:
                return process
    except BaseException:
        _end(process)
        raise
    _end(process)
    raise RequestError(503, "Parquet cannot be read now; try again")


def _exchange(process: subprocess.Popen[bytes], body: bytes, limits: Limits) -> Records:
    assert process.stdin is not None
    assert process.stdout is not None
    columns = -1 if limits.columns is None else limits.columns
    process.stdin.write(REQUEST.pack(len(body), columns, limits.values, limits.records))
    process.stdin.write(body)
    process.stdin.flush()
    header = bytearray(RESPONSE.size)
    _fill(process.stdout, memoryview(header))
    rows, columns = RESPONSE.unpack(header)
    if rows < 0:
        reason = bytearray(columns)
        _fill(process.stdout, memoryview(reason))
        raise InputError(reason.decode())
    records = np.empty((rows, columns))
    _fill(process.stdout, records.data.cast("B"))
    return records


def _fill(stream: IO[bytes], buffer: memoryview) -> None:
    while buffer:
        size: int = stream.readinto(buffer)  # type: ignore[attr-defined]
        if not size:
            raise EOFError
        buffer = buffer[size:]


@contextlib.contextmanager
def _killed_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    try:
        timer.start()
    except RuntimeError as error:
        raise RequestError(503, f"Parquet cannot be read now ({error}); try again") from error
    try:
        yield
    finally:
        timer.cancel()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
