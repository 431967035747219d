"""A pytest plugin that records what is allowed in the rehearsals of a test run: ``make record-iam``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.kms.models import kms_backends

from iam_mutation.programs import read_program
from iam_mutation.requests import Recorded, read, steady, write
from iam_mutation.stacks import ACCOUNT
from mlops_constructs.rehearsal.rehearse import Rehearsal

if TYPE_CHECKING:
    from iam_mutation.programs import Program
    from iam_mutation.requests import Rows
    from mlops_constructs.local_aws.iam.decision import Decision
    from mlops_constructs.local_aws.local_aws import LocalAws

FILE = Path(__file__).with_name("recorded.jsonl")


class Recorder:
    """Keeps the allowed requests of one local AWS, as they are: there are many, and few kinds."""

    def __init__(self, aws: LocalAws, program: Program) -> None:
        self._requests: set[Recorded] = set()
        self._aws, self._program = aws, program
        aws.account.access.add_listener(self._keep)

    def _keep(self, decision: Decision) -> None:
        if decision.allowed:
            self._requests.add(Recorded.of(decision.request).renamed(self._steady))

    def _steady(self, text: str) -> str:
        """Call keys by what they are for, as their ids are random."""
        for key_id, key in list(kms_backends[ACCOUNT][self._aws.region].keys.items()):
            text = text.replace(key_id, key.description)
        return text if ":role/" in text else steady(text)

    def rows(self) -> Rows:
        """Give the requests of the stack's roles, and of services on its resources."""
        rows: Rows = {}
        for one in filter(self._program.concerns, self._requests):
            pipeline = self._program.owner(one.line())
            rows.setdefault(one.renamed(pipeline.generic), set()).add(pipeline.label)
        return rows


@pytest.fixture(autouse=True, scope="session")
def record() -> object:
    """Record every rehearsal of the session, and add what is new to the file."""
    recorders: list[Recorder] = []
    enter = Rehearsal.__enter__

    def recorded(self: Rehearsal) -> Rehearsal:
        recorders.append(Recorder(self.aws, read_program(self._stack)))
        return enter(self)

    Rehearsal.__enter__ = recorded  # type: ignore[method-assign]
    yield
    Rehearsal.__enter__ = enter  # type: ignore[method-assign]
    rows = read(FILE)
    for recorder in recorders:
        for one, pipelines in recorder.rows().items():
            rows.setdefault(one, set()).update(pipelines)
    write(FILE, rows)
