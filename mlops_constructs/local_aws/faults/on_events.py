"""Faults of deliveries: events that are lost, repeated or out of order, and functions that are invoked twice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.faults.fault import Fault, fits

if TYPE_CHECKING:
    from mlops_constructs.local_aws.local_aws import LocalAws

_PATIENCE_SECONDS = 20.0


class EventFault(Fault, ABC):
    """A fault of the events of one detail type or source."""

    def install(self, aws: LocalAws) -> None:
        """Prepare it."""
        self.aws = aws

    def emitted(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Disturb an event."""
        wanted = self.values["event"]
        if not fits(wanted, event["detail-type"], event["source"]) or not self.due():
            return [event]
        return self.disturb(event)

    @abstractmethod
    def disturb(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what is delivered for an event that is hit."""


class Drop(EventFault):
    """An event that nobody gets."""

    def disturb(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Lose it."""
        self.fire(f"{_name(event)} was lost")
        return []


class TwiceEvent(EventFault):
    """An event that EventBridge delivers twice, which it may: it promises to deliver at least once."""

    def disturb(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Repeat it."""
        self.fire(f"{_name(event)} was delivered twice")
        return [event, event]


class Reorder(EventFault):
    """An event that comes after the next one of its kind; alone, it comes late."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._held: dict[str, Any] | None = None
        self._passing = ""

    def emitted(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Deliver one that is held after this one."""
        with self.lock:
            held = self._held
            if held is not None and fits(self.values["event"], event["detail-type"], event["source"]):
                self._held = None
                self.fire(f"{_name(held)} came after the next one, {_name(event)}")
                return [event, held]
            if event["id"] == self._passing:
                return [event]
        return super().emitted(event)

    def disturb(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Hold it."""
        with self.lock:
            self._held = event
        self.aws.account.spawn("reordered-event", lambda: self._release(event))
        return []

    def _release(self, event: dict[str, Any]) -> None:
        self.aws.account.closing.wait(_PATIENCE_SECONDS)
        with self.lock:
            if self._held is not event:
                return
            self._held, self._passing = None, event["id"]
        self.problem = f"no other event followed {_name(event)}: it was delivered {_PATIENCE_SECONDS:g} s late"
        self.aws.events.emit(event)


class TwiceFunction(Fault):
    """A function that gets an asynchronous event twice, at the same moment."""

    def invoked(self, function: str) -> int:
        """Invoke it twice."""
        if not fits(self.values["function"], function) or not self.due():
            return 1
        self.fire(f"{function} was invoked twice with one event")
        return 2


class Clock(Fault):
    """Functions whose clock is ahead of the account's."""

    def clock_ahead(self, function: str) -> float:
        """Let a function live ahead of its time."""
        if self._ended or not fits(self.values["function"], function):
            return 0.0
        ahead = float(self.values["seconds"])
        self.fire(f"the clock of {function} is {ahead:g} s ahead")
        return ahead


def _name(event: dict[str, Any]) -> str:
    detail = event["detail"]
    thing = detail.get("object", {}).get("key") or next((str(one) for one in event["resources"]), "")
    return f"the event {event['detail-type']!r} of {event['source']}" + (f" ({thing})" if thing else "")
