"""A log that nobody reads: lines are dropped and counted, and the server goes on."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, TextIO

import pytest
from sagemaker_contract.serving.logs import JsonFormatter, PipeHandler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = 2_000


@pytest.fixture
def pipe() -> Iterator[tuple[TextIO, TextIO]]:
    read, write = os.pipe()
    with os.fdopen(read) as reader, os.fdopen(write, "w") as writer:
        yield reader, writer


def handler(stream: TextIO) -> PipeHandler:
    made = PipeHandler(stream)
    made.setFormatter(JsonFormatter())
    return made


def emit(to: PipeHandler, count: int) -> None:
    for number in range(count):
        to.emit(logging.LogRecord("serve", logging.INFO, "", 0, "line %d", (number,), None))


def test_lines_that_nobody_reads_are_dropped_and_counted(pipe: tuple[TextIO, TextIO]) -> None:
    reader, writer = pipe
    writes = handler(writer)
    emit(writes, LINES)
    os.set_blocking(reader.fileno(), False)
    kept = len(reader.read().splitlines())
    assert 0 < kept < LINES
    emit(writes, 1)
    first, second = (json.loads(line)["message"] for line in reader.read().splitlines())
    assert (first, second) == (f"{LINES - kept} log lines were dropped, because nobody read the log", "line 0")


def test_file_gets_every_line(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        emit(handler(stream), LINES)
    assert len((tmp_path / "log").read_text().splitlines()) == LINES
