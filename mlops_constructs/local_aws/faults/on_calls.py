"""Faults of calls: refused, lost, late, repeated, and functions that die beside a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.fault import Fault, fits
from mlops_constructs.local_aws.hooks import ConnectionCutError
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.faults.model import Operation
    from mlops_constructs.local_aws.hooks import ApiCall
    from mlops_constructs.local_aws.local_aws import LocalAws

ANYONE = "*"
_LOST = "We encountered an internal error. Please try again."


class CallFault(Fault, ABC):
    """A fault of one operation.

    Only roles are disturbed: their calls are those of a pipeline. The account's administrator, who deploys and tests,
    is not, and neither are the services themselves.
    """

    def install(self, aws: LocalAws) -> None:
        """Prepare it."""
        self.aws = aws

    def around(self, call: ApiCall, proceed: Callable[[], Any]) -> Any:
        """Disturb a call of the operation."""
        wanted: Operation = self.values["operation"]
        if (call.service, call.operation) != (wanted.service, wanted.name):
            return proceed()
        caller = self._caller(call)
        if not caller or not self.due():
            return proceed()
        return self.disturb(call, proceed, caller)

    @abstractmethod
    def disturb(self, call: ApiCall, proceed: Callable[[], Any], caller: str) -> Any:
        """Answer a call that is hit."""

    def _caller(self, call: ApiCall) -> str:
        """Return who calls; empty when this is not one of those who are disturbed."""
        running = self.aws.lambda_.running(call.access_key)
        role = self.aws.account.access.caller(call.access_key)
        if role is None:
            return ""
        session = role.arn.partition("assumed-role/")[2]
        name = session if running is None else running[0]
        return name if fits(self.values.get("caller", ANYONE), name, *session.split("/")) else ""


class Refuse(CallFault):
    """An error instead of an answer; nothing is done."""

    def disturb(self, call: ApiCall, proceed: Callable[[], Any], caller: str) -> Any:
        """Refuse it."""
        code = self.values["code"]
        self.fire(f"{call.service}.{call.operation} of {caller} was refused with {code}")
        throttled = any(word in code for word in ("Throttl", "SlowDown", "TooMany", "LimitExceeded"))
        message = "Rate exceeded" if throttled else f"{code}: a fault was injected"
        raise AwsError(code, message, self.values["operation"].status_of(code))


class Lose(CallFault):
    """It is done, but its caller never learns of it."""

    def disturb(self, call: ApiCall, proceed: Callable[[], Any], caller: str) -> Any:
        """Let it be done, and lose the answer."""
        proceed()
        self.fire(f"the answer to {call.service}.{call.operation} of {caller} was lost")
        if self.values["how"] == "cut":
            raise ConnectionCutError
        raise AwsError("InternalError" if call.service == "s3" else "InternalFailure", _LOST, 500)


class Delay(CallFault):
    """It is answered late."""

    def disturb(self, call: ApiCall, proceed: Callable[[], Any], caller: str) -> Any:
        """Wait, then answer."""
        self.fire(f"{call.service}.{call.operation} of {caller} was answered {self.values['seconds']:g} s late")
        self.aws.account.closing.wait(self.values["seconds"])
        return proceed()


class TwiceCall(CallFault):
    """The network delivers a request twice: the caller gets the second answer."""

    def disturb(self, call: ApiCall, proceed: Callable[[], Any], caller: str) -> Any:
        """Let it be done twice."""
        self.fire(f"{call.service}.{call.operation} of {caller} was delivered twice")
        proceed()
        return proceed()


class Kill(Fault):
    """SIGKILL to the process of a function, before or after one of its calls."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        wanted = {side: self.values[side] for side in ("before", "after") if self.values[side]}
        if len(wanted) != 1:
            raise FaultError(f"{self.text}: give before=OPERATION or after=OPERATION")
        ((self._side, self._operation),) = wanted.items()

    def install(self, aws: LocalAws) -> None:
        """Prepare it."""
        self.aws = aws

    def around(self, call: ApiCall, proceed: Callable[[], Any]) -> Any:
        """Kill the function that makes the call."""
        if (call.service, call.operation) != (self._operation.service, self._operation.name):
            return proceed()
        running = self.aws.lambda_.running(call.access_key)
        if running is None or not fits(self.values["function"], running[0]) or not self.due():
            return proceed()
        name, kill = running
        if self._side == "after":
            proceed()
        self.fire(f"{name} was killed {self._side} {call.service}.{call.operation}")
        kill()
        raise ConnectionCutError
