"""What is remembered between two invocations: the alarms about production's release, and the executions started."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from retrain.alarm import MAX_FEATURES

if TYPE_CHECKING:
    from retrain.alarm import Alarm

_MAX_IDS = 100
_MAX_SENTENCES = 3
# No invocation lives longer (its timeout is 5 minutes): what it has begun, it has ended by then, or never.
LIFETIME_SECONDS = 900.0
# The last executions; more than anyone may start in two months.
_MAX_STARTS = 100


@dataclass(frozen=True)
class Need:
    """The alarms about one release. They stand until there is another one: drift that was shown does not go away.

    Attributes:
        since: When the first of them came, in seconds.
        release: The newest release then; 0 without releases.
        ids: Their ids, the last 100.
        reasons, features, sentences: What they say, each text once.
        told: The obstacles that people have been notified of, since the last execution was started.
        telling: When an invocation began to notify people, in seconds; None when none does.
    """

    since: float
    release: int
    ids: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    telling: float | None = None

    def joined(self, alarm: Alarm) -> Need:
        """Add an alarm; the same object when it is in here already."""
        if alarm.id in self.ids:
            return self
        return replace(
            self,
            ids=(*self.ids, alarm.id)[-_MAX_IDS:],
            reasons=_once(self.reasons, (alarm.reason,)),
            features=_once(self.features, alarm.features)[:MAX_FEATURES],
            sentences=_once(self.sentences, (alarm.sentence,))[:_MAX_SENTENCES],
        )

    @property
    def sentence(self) -> str:
        """Why an execution is needed, for people."""
        more = len(self.ids) - 1
        others = "" if more < 1 else f" ({more} more alarm{'s' * (more > 1)})"
        return f"{' '.join(self.sentences)}{others}"


@dataclass(frozen=True)
class Intent:
    """An execution that is about to be started; nobody knows yet whether it has been.

    Attributes:
        key, version_id: Its data set.
        uploaded: When that was uploaded, in seconds.
        reserved: When it was decided, in seconds.
        need: Why.
    """

    key: str
    version_id: str
    uploaded: float
    reserved: float
    need: Need


@dataclass(frozen=True)
class Start:
    """An execution that was started.

    Attributes:
        execution_id: The execution.
        version_id, uploaded: Its data set.
        reserved, started: When it was decided, and when it was known to have started, in seconds.
    """

    execution_id: str
    version_id: str
    uploaded: float
    reserved: float
    started: float

    @property
    def months(self) -> frozenset[str]:
        """The months that it counts for: after a kill in the last minute of a month nobody knows which one it was."""
        return frozenset(month_of(moment) for moment in (self.reserved, self.started))


@dataclass(frozen=True)
class State:
    """The whole record of one pipeline."""

    need: Need | None = None
    intent: Intent | None = None
    starts: tuple[Start, ...] = ()

    @property
    def last(self) -> Start | None:
        """The last execution that was started."""
        return self.starts[-1] if self.starts else None

    def settled(self, start: Start) -> State:
        """The intent has become an execution."""
        need = None if self.need is None else replace(self.need, told=(), telling=None)
        return replace(self, need=need, intent=None, starts=(*self.starts, start)[-_MAX_STARTS:])

    def started_in(self, month: str) -> int:
        """How many executions count for a month."""
        return sum(month in start.months for start in self.starts)

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> State:
        """Read the record. Raises TypeError, KeyError, ValueError or AttributeError when it is something else."""
        intent = values["intent"]
        return cls(
            need=_need(values["need"]),
            intent=None if intent is None else Intent(**{**intent, "need": _need(intent["need"])}),
            starts=tuple(Start(**one) for one in values["starts"]),
        )


def month_of(moment: float) -> str:
    """The calendar month of a moment, in UTC."""
    return f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m}"


def _need(values: dict[str, Any] | None) -> Need | None:
    if values is None:
        return None
    given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
    return Need(**given)


def _once(texts: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*texts, *more)))
