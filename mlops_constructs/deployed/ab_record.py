"""The record of champion and challenger, as ``lambdas/handler_kit/ab_record.py`` writes it too.

A test compares both: what one writes, the other reads, and writes again without a difference.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMAT = 1
_SLOTS = ("primary", "secondary")
STARTING, RUNNING, ABORTED = "starting", "running", "aborted"
SHIFT, ABORT = "shift", "abort"
_EXECUTION = "execution "
# An intent that is not of an execution ends after this, if it has no expiry of its own.
EXPIRES_SECONDS = 900.0
_MAX_HISTORY = 50


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A model in a slot.

    Attributes:
        slot: Its slot, which is the name of its production variant.
        model_package_arn: Its model package.
        image: Its image, with the digest.
        model_data_url: Its model data.
        execution_id: The pipeline execution that brought it into its slot.
        since: When it got its role, in seconds since 1970.
        why: Why it got its role.
        parameters: The parameters of its fleet in the template.
    """

    slot: str
    model_package_arn: str
    image: str
    model_data_url: str
    execution_id: str
    since: float
    why: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A time with constant weights.

    Attributes:
        since: When the weights were live, in seconds since 1970.
        share: The challenger's share of the traffic.
        until: Just before the next weights were requested; None while it is the last segment.
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
        salt: With it, users are assigned to variants.
        plan: What was fixed before the first request.
        plan_sha256: Digest of the plan.
        started: When the first weights were live, in seconds since 1970.
        state: ``starting``, ``running``, ``aborted``, ``replaced`` or ``promoted``.
        segments: The times with constant weights, the oldest first.
        ended: When it ended, in seconds since 1970.
        why: Why it ended.
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


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A change that has begun and has not ended.

    Attributes:
        kind: ``release``, ``rollback``, ``promote``, ``abort`` or ``shift``.
        by: ``execution <id>``, ``command <id>`` or ``guard``.
        since: Since when, in seconds since 1970.
        expires: After this, a command that has not ended has crashed; None for an execution.
        share: For ``shift``: the challenger's share that was requested.
        model: What comes into its slot.
        bake_until: For ``promote``: until when the alarms are watched.
        returns: For ``promote``: the challenger's share before.
    """

    kind: str
    by: str
    since: float
    expires: float | None = None
    share: float | None = None
    model: Deployed | None = None
    bake_until: float | None = None
    returns: float | None = None

    @property
    def execution_id(self) -> str | None:
        """The pipeline execution that changes; None when a command or the guard does."""
        return self.by.removeprefix(_EXECUTION) if self.by.startswith(_EXECUTION) else None

    def expired(self, now: float) -> bool:
        """Whether a command or the guard has crashed; an execution's status tells about an execution."""
        ends = self.since + EXPIRES_SECONDS if self.expires is None else self.expires
        return self.execution_id is None and now >= ends


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything that is known about the roles.

    Attributes:
        champion: The champion; None before the first release.
        challenger: What the other slot serves: the challenger, or one whose test has ended.
        share: The challenger's share of the traffic that was requested.
        test: The challenger's test; None where it has none.
        intent: The change that has begun and has not ended.
        history: Ended tests, the newest first, without their plans.
        version: Counts the writes.
        updated: When it was written, in seconds since 1970.
        by: Who wrote it.
        why: Why.
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
    def running(self) -> Test | None:
        """The test, if it runs."""
        return self.test if self.test is not None and self.test.runs else None

    @property
    def weights(self) -> dict[str, float]:
        """Slot to the weight that was requested."""
        if self.champion is None:
            return {}
        if self.challenger is None:
            return {self.champion.slot: 1.0}
        return {self.champion.slot: 1.0 - self.share, self.challenger.slot: self.share}

    def begun(self, intent: Intent, at: float) -> Record:
        """Return the record with a change that begins; the segment of the weights before ends."""
        return replace(self, intent=intent, test=None if self.test is None else self.test.closed(at))

    def settled(self, share: float, at: float) -> Record:
        """Return the record with no change under way, and with these weights live.

        A segment needs a share above 0 and below 1: otherwise there is nothing to compare.
        """
        test = self.running
        if test is None:
            return replace(self, intent=None, share=share)
        if 0.0 < share < 1.0:
            closed = test.closed(at)
            segments = (*closed.segments, Segment(since=at, share=share))
            test = replace(closed, state=RUNNING, segments=segments)
        return replace(self, intent=None, share=share, test=test)

    def ended(self, at: float, why: str) -> Record:
        """Return the record with its test aborted, and no requests for the challenger."""
        if self.running is None:
            return replace(self, share=0.0)
        test = replace(self.running.closed(at), state=ABORTED, ended=at, why=why)
        kept = {name: value for name, value in asdict(test).items() if name not in ("plan", "segments")}
        return replace(self, share=0.0, test=test, history=(kept, *self.history)[:_MAX_HISTORY])

    def aborted(self, at: float, why: str) -> Record:
        """Return the record with no change under way, and no test."""
        return replace(self.ended(at, why), intent=None)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {"format": _FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Record:
        """Read a record. Raises ValueError, TypeError or KeyError for anything else."""
        values = dict(written)
        if values.pop("format", None) != _FORMAT:
            raise ValueError(f"its format must be {_FORMAT}, got {written.get('format')!r}")
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
    if found.slot not in _SLOTS:
        raise ValueError(f"the slot must be one of {_SLOTS}, got {found.slot!r}")
    return found
