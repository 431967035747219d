"""What is kept of the watch over one release, in one object that is replaced only if nobody has replaced it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from handler_kit.errors import StepError
from handler_kit.objects import read_object, replace_object
from watch_traffic.estimate import Recent
from watch_traffic.quality import Quality
from watch_traffic.thinning import Thinning
from watch_traffic.watch import Watch

FORMAT = 1


@dataclass
class Ledger:
    """The state of a watch.

    Attributes:
        until: What arrived before this time has been counted, in seconds since 1970.
        done: Within the next look: arrival and key of the last object that has been counted; empty for none.
        watches: Group of features to its watch.
        thinning: The users of the hour.
        estimated: The last predictions by confidence; None without an estimate.
        quality: From outcomes; None without them.
        quality_until: Requests that arrived before this time have been joined with their outcomes.
        counts: What did not count, by reason.
        raised: What has raised an alarm: a group and the name of a feature, or a reason.
        alarms: The alarms, the oldest first.
    """

    until: float
    watches: dict[str, Watch]
    estimated: Recent | None
    quality: Quality | None
    quality_until: float
    done: list[Any] = field(default_factory=list)
    thinning: Thinning = field(default_factory=Thinning)
    counts: Counter[str] = field(default_factory=Counter)
    raised: list[str] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "format": FORMAT,
            "until": self.until,
            "done": self.done,
            "watches": {name: watch.to_json() for name, watch in self.watches.items()},
            "thinning": self.thinning.to_json(),
            "estimated": None if self.estimated is None else self.estimated.to_json(),
            "quality": None if self.quality is None else self.quality.to_json(),
            "quality_until": self.quality_until,
            "counts": dict(self.counts),
            "raised": self.raised,
            "alarms": self.alarms,
        }


@dataclass
class Store:
    """The object with the state of a watch.

    Attributes:
        s3: The client.
        bucket: The artifact bucket.
        key: Its key.
        etag: Of the state that was read or written; None before the first one.
    """

    s3: Any
    bucket: str
    key: str
    etag: str | None = None

    def read(self, fresh: Ledger) -> Ledger:
        """Read the state; ``fresh``, that of the same watch before the first record, when there is none.

        Raises StepError when it cannot be read.
        """
        found = read_object(self.s3, self.bucket, self.key)
        if found is None:
            return fresh
        body, self.etag = found
        try:
            return _ledger(json.loads(body), fresh)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StepError(
                f"s3://{self.bucket}/{self.key} is not the state of a watch ({error}). Restore its last good version,"
                " or delete it to begin the watch anew."
            ) from error

    def write(self, ledger: Ledger) -> None:
        """Write the state, if it is still the one that was read. Raises LostRaceError when it is not."""
        body = json.dumps(ledger.to_json(), sort_keys=True, allow_nan=False).encode()
        lost = f"another look at s3://{self.bucket}/{self.key} was faster."
        self.etag = replace_object(self.s3, self.bucket, self.key, body, self.etag, lost)


def _ledger(written: dict[str, Any], fresh: Ledger) -> Ledger:
    if written["format"] != FORMAT:
        raise ValueError(f"its format must be {FORMAT}, got {written['format']!r}")
    estimated, quality = written["estimated"], written["quality"]
    return Ledger(
        until=written["until"],
        watches={
            name: Watch.from_json(written["watches"][name], one.baseline, one.plan)
            for name, one in fresh.watches.items()
        },
        estimated=None if estimated is None else Recent.from_json(estimated),
        quality=None if quality is None else Quality.from_json(quality),
        quality_until=written["quality_until"],
        done=list(written["done"]),
        thinning=Thinning.from_json(written["thinning"]),
        counts=Counter(written["counts"]),
        raised=list(written["raised"]),
        alarms=list(written["alarms"]),
    )
