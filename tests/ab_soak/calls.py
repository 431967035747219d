"""The edge to AWS: every call can be the last one of its process, be lost, be refused, or be overtaken by others."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KILLED_BEFORE, KILLED_AFTER, LOST, REFUSED, TWICE = "killed before", "killed after", "lost", "refused", "twice"
OVERTAKEN = "overtaken"


class Killed(BaseException):
    """The process has ended without doing anything more."""


@dataclass(frozen=True)
class Fault:
    """What happens to one call.

    Attributes:
        mode: The process ends before or after it, its answer is lost, AWS refuses it, a retry of the network sends it
            twice, or somebody else does something just before it.
        operation: Name of the operation.
        nth: The how-manieth call of that operation.
    """

    mode: str
    operation: str
    nth: int = 1


@dataclass
class Process:
    """A process that makes calls.

    Attributes:
        fault: What happens to it.
        others: What somebody else does, where the process is overtaken.
        dead: Whether it was killed.
        seen: Its calls by operation.
    """

    fault: Fault | None = None
    others: Callable[[], object] | None = None
    dead: bool = False
    seen: Counter[str] = field(default_factory=Counter)

    def hits(self, operation: str, *modes: str) -> bool:
        """Whether the fault is due at this call."""
        fault = self.fault
        return (
            fault is not None
            and fault.mode in modes
            and fault.operation == operation
            and self.seen[operation] == fault.nth
        )


class Calls:
    """The calls of all processes; only the innermost one makes calls.

    Attributes:
        fired: How often each fault happened.
        answers: By operation, what answers it in place of AWS.
    """

    def __init__(self) -> None:
        """Begin without a process."""
        self.fired: Counter[str] = Counter()
        self.answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self._processes: list[Process | None] = []

    @contextlib.contextmanager
    def process(self, process: Process | None) -> Iterator[None]:
        """Let calls be of this process; those of None are never disturbed."""
        self._processes.append(process)
        try:
            yield
        finally:
            self._processes.pop()

    def watch(self, client: Any) -> Any:
        """Watch a client; returns it."""

        def sent(params: dict[str, Any], model: Any, **_: object) -> None:
            self._send_twice(client, model.name, params)

        client.meta.events.register("provide-client-params", sent)
        client.meta.events.register("before-call", self._before)
        client.meta.events.register("after-call", self._after)
        return client

    @property
    def _now(self) -> Process | None:
        return self._processes[-1] if self._processes else None

    def _send_twice(self, client: Any, operation: str, params: dict[str, Any]) -> None:
        process = self._now
        fault = None if process is None else process.fault
        if process is None or fault is None or fault.mode != TWICE or fault.operation != operation:
            return
        if process.seen[operation] + 1 == fault.nth:
            self.fired[f"{TWICE} {operation}"] += 1
            with self.process(None):
                getattr(client, xform_name(operation))(**params)

    def _before(self, model: Any, params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
        process, name = self._now, model.name
        if process is not None:
            if process.dead:
                raise Killed
            process.seen[name] += 1
            if process.hits(name, OVERTAKEN) and process.others is not None:
                self.fired[f"{OVERTAKEN} {name}"] += 1
                process.others()
            if process.hits(name, KILLED_BEFORE):
                self._kill(process, f"{KILLED_BEFORE} {name}")
            if process.hits(name, REFUSED):
                self.fired[f"{REFUSED} {name}"] += 1
                return _answer(400, _error("ThrottlingException", "Rate exceeded"))
        answer = self.answers.get(name)
        if answer is None:
            return None
        content = answer(json.loads(params["body"] or b"{}"))
        return _answer(400 if "Error" in content else 200, content)

    def _after(self, model: Any, **_: object) -> None:
        process, name = self._now, model.name
        if process is None:
            return
        if process.dead:
            raise Killed
        if process.hits(name, KILLED_AFTER):
            self._kill(process, f"{KILLED_AFTER} {name}")
        if process.hits(name, LOST):
            self.fired[f"{LOST} {name}"] += 1
            raise ReadTimeoutError(endpoint_url="https://aws")

    def _kill(self, process: Process, what: str) -> None:
        self.fired[what] += 1
        process.dead = True
        raise Killed


def _error(code: str, message: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message}}


def _answer(status: int, content: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return SimpleNamespace(status_code=status), {"ResponseMetadata": {"HTTPStatusCode": status}, **content}
