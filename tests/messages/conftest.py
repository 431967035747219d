"""The messages of the source, collected once."""

from __future__ import annotations

import pytest

from messages.collector import Collector, Message
from messages.listing import texts
from messages.source import Program


@pytest.fixture(scope="session")
def program() -> Program:
    return Program(texts())


@pytest.fixture(scope="session")
def messages(program: Program) -> set[Message]:
    return Collector(program).collect()
