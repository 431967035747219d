"""A pytest plugin that records what is allowed in the rehearsals of a test run: ``make record-iam``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.kms.models import kms_backends

from iam_mutation.requests import ACCOUNT, Recorded, read, write
from mlops_constructs.rehearsal.rehearse import Rehearsal

if TYPE_CHECKING:
    from mlops_constructs.local_aws.iam.decision import Decision
    from mlops_constructs.local_aws.local_aws import LocalAws

FILE = Path(__file__).with_name("recorded.jsonl")


class Recorder:
    """Keeps the allowed requests of one local AWS."""

    def __init__(self, aws: LocalAws) -> None:
        self.requests: set[Recorded] = set()
        self._aws = aws
        aws.account.access.add_listener(self._keep)

    def _keep(self, decision: Decision) -> None:
        if decision.allowed:
            self.requests.add(Recorded.of(decision.request, self._rename))

    def _rename(self, text: str) -> str:
        """Call keys by what they are for: their ids are random."""
        for key_id, key in list(kms_backends[ACCOUNT][self._aws.region].keys.items()):
            text = text.replace(key_id, key.description)
        return text


@pytest.fixture(autouse=True, scope="session")
def record() -> object:
    """Record every rehearsal of the session, and add what is new to the file."""
    recorders: list[Recorder] = []
    enter = Rehearsal.__enter__

    def recorded(self: Rehearsal) -> Rehearsal:
        recorders.append(Recorder(self.aws))
        return enter(self)

    Rehearsal.__enter__ = recorded  # type: ignore[method-assign]
    yield
    Rehearsal.__enter__ = enter  # type: ignore[method-assign]
    write(FILE, read(FILE).union(*(recorder.requests for recorder in recorders)))
