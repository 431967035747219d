"""The faults of one local AWS."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.kinds import make_fault
from mlops_constructs.local_aws.faults.known import Known
from mlops_constructs.local_aws.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from mlops_constructs.local_aws.faults.fault import Fault, Firing
    from mlops_constructs.local_aws.faults.recorder import Recorder
    from mlops_constructs.local_aws.hooks import ApiCall, Program
    from mlops_constructs.local_aws.local_aws import LocalAws


class Faults(Hooks):
    """Injects faults into a local AWS, until ``close()``. Equal seeds draw equal random numbers.

    Attributes:
        seed: Decides where chance does.
    """

    def __init__(self, aws: LocalAws, seed: int = 0, known: Known | None = None) -> None:
        """Let no fault happen yet.

        Args:
            aws: The local AWS.
            seed: Decides where chance does.
            known: Names that exist; faults of others are refused. None refuses none.

        Raises:
            FaultError: when others inject faults into this local AWS.
        """
        if type(aws.account.hooks) is not Hooks:
            raise FaultError("faults are injected into this local AWS already: close those first")
        self.seed = seed
        self._aws, self._known = aws, known or Known()
        self._faults: list[Fault] = []
        self._random = Random(seed)
        self._recorder: Recorder | None = None
        self._told: Callable[[Fault, Firing], object] = lambda _fault, _firing: None
        aws.account.hooks = self
        aws.account.subscribe(self._noticed)

    def inject(self, text: str, *arguments: object, **options: object) -> Fault:
        """Inject a fault.

        Args:
            text: Its name, or a whole fault as for ``--fault``.
            arguments: Arguments that are not in the text.
            options: Options that are not in the text.

        Returns:
            The fault, which tells whether it has happened.

        Raises:
            FaultError: when there is no such fault, AWS cannot have it, or nothing has the name that it gives.
        """
        fault = make_fault(text, arguments, options, Random(self._random.random()))
        self._known.check(fault)
        fault.listen(lambda one, firing: self._told(one, firing))
        self._faults.append(fault)
        try:
            fault.install(self._aws)
        except FaultError:
            self._faults.remove(fault)
            raise
        return fault

    @contextmanager
    def watched_by(self, recorder: Recorder) -> Iterator[None]:
        """Let a recorder see every call."""
        self._recorder = recorder
        try:
            yield
        finally:
            self._recorder = None

    def listen(self, told: Callable[[Fault, Firing], object]) -> None:
        """Call ``told`` each time that a fault happens, in the thread in which it happens."""
        self._told = told

    @property
    def never_fired(self) -> list[Fault]:
        """The faults that have not happened: a test that has such a fault has tested nothing."""
        return [fault for fault in self._faults if not fault.fired]

    def clear(self) -> None:
        """End all faults, and forget them."""
        for fault in self._faults:
            fault.end()
        self._faults = []

    def close(self) -> None:
        """End all faults. What they have changed stays changed."""
        for fault in self._faults:
            fault.end()
        if self._aws.account.hooks is self:
            self._aws.account.hooks = Hooks()

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults))

    def __enter__(self) -> Faults:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def around(self, call: ApiCall, proceed: Callable[[], Any]) -> Any:
        """Let each fault stand around a call, the first one outermost."""
        for fault in reversed(list(self._faults)):
            proceed = _nested(fault, call, proceed)
        recorder = self._recorder
        return proceed() if recorder is None else recorder.around(self._aws, call, proceed)

    def emitted(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Let each fault disturb what those before it deliver."""
        events = [event]
        for fault in self:
            events = [delivered for one in events for delivered in fault.emitted(one)]
        return events

    def invoked(self, function: str) -> int:
        """Return the most that a fault wants."""
        return max((fault.invoked(function) for fault in self), default=1)

    def clock_ahead(self, function: str) -> float:
        """Return the sum of all."""
        return sum(fault.clock_ahead(function) for fault in self)

    def asked(self, pipeline: str, action: str) -> None:
        """Tell all."""
        for fault in self:
            fault.asked(pipeline, action)

    def started(self, program: Program) -> None:
        """Tell all."""
        for fault in self:
            fault.started(program)

    def baking(self, endpoint: str, alarms: list[str]) -> None:
        """Tell all."""
        for fault in self:
            fault.baking(endpoint, alarms)

    def over_quota(self, quota: str) -> None:
        """Tell all."""
        for fault in self:
            fault.over_quota(quota)

    def _noticed(self, event: dict[str, Any]) -> None:
        for fault in self:
            fault.noticed(event)


def _nested(fault: Fault, call: ApiCall, proceed: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: fault.around(call, proceed)
