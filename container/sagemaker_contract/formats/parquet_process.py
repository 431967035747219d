"""Reads Parquet files in a process of its own, with a limit for its memory.

The sizes in a Parquet file need not be true: a page of 50 kB can decompress to gigabytes, whatever the file declares.
The library that decompresses it has no limit, and cannot be interrupted. A process can be given both.

Standard input has requests, standard output the responses. Both are a header and a content: a file, then an array or
the reason why there is none.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sagemaker_contract.errors import InputError
from sagemaker_contract.formats.limits import Limits

if TYPE_CHECKING:
    from sagemaker_contract.formats.records import Records

# The size of the file, and the limits; -1 for an unknown number of columns.
REQUEST = struct.Struct("<qqqq")
# Rows and columns of the array, or -1 and the size of the reason.
RESPONSE = struct.Struct("<qq")
READY = b"+"
# What a file needs beside its records: its own bytes, its pages, a batch.
_BYTES_PER_VALUE = 24


def main() -> None:
    """Serve requests until the other side closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = sys.stdin.buffer
    # Nothing that a library prints may get between the responses.
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from sagemaker_contract.formats.parquet_file import read_records

    idle = _data_bytes()
    _write(responses, READY)
    while header := requests.read(REQUEST.size):
        size, columns, values, records = REQUEST.unpack(header)
        _limit_memory(idle, _BYTES_PER_VALUE * values)
        try:
            body = requests.read(size)
            found = read_records(body, Limits(None if columns < 0 else columns, values, records))
        except InputError as error:
            _refuse(responses, str(error))
        except MemoryError:
            _refuse(responses, "the Parquet file takes too much memory")
        except Exception as error:
            # The library's exceptions for a broken file are of many types.
            _refuse(responses, f"the body is not a Parquet file: {error}")
        else:
            _answer(responses, found)


def _answer(responses: BinaryIO, records: Records) -> None:
    responses.write(RESPONSE.pack(*records.shape))
    _write(responses, records.data.cast("B"))


def _refuse(responses: BinaryIO, reason: str) -> None:
    content = reason.encode(errors="replace")[:1000]
    responses.write(RESPONSE.pack(-1, len(content)))
    _write(responses, content)


def _write(responses: BinaryIO, content: bytes | memoryview) -> None:
    responses.write(content)
    responses.flush()


def _data_bytes() -> int | None:
    """The memory that counts towards RLIMIT_DATA, where the system tells."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return None


def _limit_memory(idle: int | None, more: int) -> None:
    import resource

    if idle is not None:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = idle + more
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
