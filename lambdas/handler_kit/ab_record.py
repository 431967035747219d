"""The record of champion and challenger: who is which, with which weights, since when and why.

The endpoint has two slots, ``primary`` and ``secondary``; either may be the champion. Only this record tells which one
is, and ``champion`` changes in one write (see ``ab_store``), so that no crash can leave two champions, or none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
PRIMARY, SECONDARY = "primary", "secondary"
SLOTS = (PRIMARY, SECONDARY)
# States of a test. Only in RUNNING may the challenger have a weight above 0.
STARTING, RUNNING, ABORTED, REPLACED, PROMOTED = "starting", "running", "aborted", "replaced", "promoted"
MAX_HISTORY = 50


def other(slot: str) -> str:
    """The other slot."""
    return SECONDARY if slot == PRIMARY else PRIMARY


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A model in a slot.

    Attributes:
        slot: ``primary`` or ``secondary``: the name of its production variant.
        model_package_arn: Its model package.
        image: Its image, with the digest.
        model_data_url: Its model data.
        execution_id: The pipeline execution that brought it into its slot.
        since: When it got its role, in seconds since 1970.
        why: Why it got its role, for people.
        parameters: The parameters of its fleet in the template, without the name of the slot.
    """

    slot: str
    model_package_arn: str
    image: str
    model_data_url: str
    execution_id: str
    since: float
    why: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A time with constant weights.

    Attributes:
        since: When the weights were read back as live, in seconds since 1970.
        share: The challenger's share of the traffic, 0 to 1.
        until: Just before the next weights were requested; None while the segment is the last one.
    """

    since: float
    share: float
    until: float | None = None


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test of the challenger against the champion.

    Attributes:
        id: Its ID: that of the pipeline execution that began it.
        champion: Model package of the champion.
        challenger: Model package of the challenger.
        salt: With it, users are assigned to variants; each test has another one.
        plan: What was fixed before the first request (see ``handler_kit.ab_plan``).
        plan_sha256: Digest of the plan.
        started: When the first weights were live, in seconds since 1970; the time of the record while it is starting.
        state: ``starting``, ``running``, ``aborted``, ``replaced`` or ``promoted``.
        segments: The times with constant weights, the oldest first.
        ended: When it left ``running``, in seconds since 1970.
        why: Why it ended, for people.
    """

    id: str
    champion: str
    challenger: str
    salt: str
    plan: Mapping[str, Any]
    plan_sha256: str
    started: float
    state: str = STARTING
    segments: tuple[Segment, ...] = ()
    ended: float | None = None
    why: str = ""

    @property
    def runs(self) -> bool:
        """Whether the challenger may receive requests."""
        return self.state in (STARTING, RUNNING)

    def closed(self, at: float) -> Test:
        """Return the test with its last segment closed."""
        if not self.segments or self.segments[-1].until is not None:
            return self
        return replace(self, segments=(*self.segments[:-1], replace(self.segments[-1], until=at)))

    def with_segment(self, since: float, share: float) -> Test:
        """Return the test with weights that are live now."""
        segment = Segment(since=since, share=share)
        return replace(self.closed(since), state=RUNNING, segments=(*self.closed(since).segments, segment))

    def end(self, state: str, at: float, why: str) -> Test:
        """Return the test, ended."""
        return replace(self.closed(at), state=state, ended=at, why=why)


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A change that has begun and has not ended.

    Attributes:
        kind: ``release``, ``rollback``, ``promote``, ``abort`` or ``shift``.
        by: ``execution <id>``, ``command <id>`` or ``guard``: who changes.
        since: Since when, in seconds since 1970.
        expires: After this, a command that has not ended has crashed; None for an execution, whose status tells.
        share: For ``shift``: the challenger's share that was requested.
        model: For ``release`` and ``rollback``: what comes into its slot.
        bake_until: For ``promote``: until when the alarms are watched before the record changes.
        returns: For ``promote``: the challenger's share before, to which an alarm returns.
    """

    kind: str
    by: str
    since: float
    expires: float | None = None
    share: float | None = None
    model: Deployed | None = None
    bake_until: float | None = None
    returns: float | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything that is known about the roles.

    Attributes:
        champion: The champion; None before the first release.
        challenger: What the other slot serves, if it is occupied: the challenger, or one whose test has ended.
        share: The share of the traffic that was requested for the challenger, 0 to 1.
        test: The challenger's test; None where it has none.
        intent: The change that has begun and has not ended.
        history: Ended tests, the newest first, without their plans.
        version: Counts the writes.
        updated: When it was written, in seconds since 1970.
        by: Who wrote it.
        why: Why, for people.
    """

    champion: Deployed | None = None
    challenger: Deployed | None = None
    share: float = 0.0
    test: Test | None = None
    intent: Intent | None = None
    history: tuple[Mapping[str, Any], ...] = ()
    version: int = 0
    updated: float = 0.0
    by: str = ""
    why: str = ""

    @property
    def weights(self) -> dict[str, float]:
        """Slot to the weight that was requested."""
        if self.champion is None:
            return {}
        if self.challenger is None:
            return {self.champion.slot: 1.0}
        return {self.champion.slot: 1.0 - self.share, self.challenger.slot: self.share}

    def ended(self, state: str, at: float, why: str) -> Record:
        """Return the record with its test ended and remembered; unchanged when no test runs."""
        if self.test is None or not self.test.runs:
            return self
        test = self.test.end(state, at, why)
        kept = {name: value for name, value in asdict(test).items() if name not in ("plan", "segments")}
        return replace(self, share=0.0, test=test, history=(kept, *self.history)[:MAX_HISTORY])

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {"format": FORMAT, **asdict(_plain(self))}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Record:
        """Read what ``to_json`` has written. Raises ValueError, TypeError or KeyError for anything else."""
        values = dict(written)
        if values.pop("format", None) != FORMAT:
            raise ValueError(f"its format must be {FORMAT}, got {written.get('format')!r}")
        for name in ("champion", "challenger"):
            values[name] = _deployed(values[name])
        test, intent = values["test"], values["intent"]
        if test is not None:
            values["test"] = Test(**{**test, "segments": tuple(Segment(**one) for one in test["segments"])})
        if intent is not None:
            values["intent"] = Intent(**{**intent, "model": _deployed(intent["model"])})
        return cls(**{**values, "history": tuple(values["history"])})


def _deployed(written: Mapping[str, Any] | None) -> Deployed | None:
    if written is None:
        return None
    found = Deployed(**written)
    if found.slot not in SLOTS:
        raise ValueError(f"the slot must be one of {SLOTS}, got {found.slot!r}")
    return found


def _plain(record: Record) -> Record:
    """The record without read-only views, which ``asdict`` cannot copy."""

    def slot(model: Deployed | None) -> Deployed | None:
        return None if model is None else replace(model, parameters=dict(model.parameters))

    intent = None if record.intent is None else replace(record.intent, model=slot(record.intent.model))
    return replace(record, champion=slot(record.champion), challenger=slot(record.challenger), intent=intent)
