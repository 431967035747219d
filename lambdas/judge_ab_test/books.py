"""What is kept of a test between looks, in one object that is replaced only if nobody has replaced it."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from handler_kit.errors import StepError
from handler_kit.objects import read_object, replace_object
from judge_ab_test.capture import HOUR
from judge_ab_test.judge import State
from judge_ab_test.seen import Seen

if TYPE_CHECKING:
    from handler_kit.ab_record import Test

FORMAT = 1


@dataclass
class Ledger:
    """The state of a test.

    Attributes:
        state: Of the statistics.
        requests_until: Requests up to this time have been counted.
        minutes_until: Minutes up to this time have been counted.
        seen: Units that have been counted.
        counts: What did not count, by reason.
        traffic: Requests and server errors of champion and of challenger; None before the first minute is counted.
        observed: When the endpoint was last seen to be as the record says.
        unknown: Times in which somebody may have changed the weights by hand (see ``Timeline``).
        report: The newest report; None before the first look.
    """

    state: State
    requests_until: float
    minutes_until: float
    seen: Seen
    counts: Counter[str] = field(default_factory=Counter)
    traffic: list[list[int]] | None = None
    observed: float = 0.0
    unknown: list[tuple[float, float | None]] = field(default_factory=list)
    report: dict[str, Any] | None = None

    def note(self, now: float, since: float, *, differs: bool) -> None:
        """Note whether the endpoint differs from the record.

        The strict way: the weights are not known from when the endpoint was last seen right (or from ``since``, when
        the newest weights were live) until it is seen right again.
        """
        is_open = bool(self.unknown) and self.unknown[-1][1] is None
        if differs and not is_open:
            self.unknown.append((max(self.observed, since), None))
        elif not differs:
            if is_open:
                begin = self.unknown[-1][0]
                self.unknown[-1] = (begin, since if since > begin else now)
            self.observed = now


@dataclass(frozen=True)
class Books:
    """The objects of a test.

    Attributes:
        s3: The client.
        bucket: The artifact bucket.
        prefix: Prefix of the objects, with the last slash.
    """

    s3: Any
    bucket: str
    prefix: str

    def read(self, test: Test, window: float) -> tuple[Ledger, str | None]:
        """Read the state and its ETag; that of a test without a look, and None, when there is none.

        Raises StepError when it is the state of another plan, or none at all.
        """
        horizon = test.plan.get("sticky_horizon_in_seconds")
        memory = 2 * window + HOUR if horizon is None else math.inf
        found = read_object(self.s3, self.bucket, f"{self.prefix}state.json")
        if found is None:
            # The first second of the first weights counts, if nothing has to settle.
            first = min((segment.since for segment in test.segments), default=test.started)
            return Ledger(State(test.started), first - 1.0, first // 60 * 60, Seen(memory), observed=first), None
        body, etag = found
        try:
            return _ledger(json.loads(body), test, memory), etag
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StepError(
                f"s3://{self.bucket}/{self.prefix}state.json is not the state of the test {test.id} ({error}). Restore"
                " its last good version, or delete it to count everything again."
            ) from error

    def write(self, test: Test, ledger: Ledger, etag: str | None) -> None:
        """Write the state, if it is still the one that was read. Raises LostRaceError when it is not."""
        lost = f"another look at the test {test.id} was faster."
        replace_object(self.s3, self.bucket, f"{self.prefix}state.json", _body(_written(test, ledger)), etag, lost)

    def publish(self, report: dict[str, Any]) -> None:
        """Write the report as the newest one, and as that of its look."""
        look = datetime.fromtimestamp(report["at"], timezone.utc)
        self._put(f"looks/{look:%Y%m%dT%H%M%SZ}.json", report)
        self._put("report.json", report)

    def report(self) -> dict[str, Any] | None:
        """Return the newest report; None when there was no look."""
        found = read_object(self.s3, self.bucket, f"{self.prefix}report.json")
        if found is None:
            return None
        report: dict[str, Any] = json.loads(found[0])
        return report

    def _put(self, name: str, content: dict[str, Any]) -> None:
        key = f"{self.prefix}{name}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=_body(content), ContentType="application/json")


def _body(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, allow_nan=False).encode()


def _written(test: Test, ledger: Ledger) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "test": test.id,
        "plan_sha256": test.plan_sha256,
        "state": ledger.state.to_json(),
        "requests_until": ledger.requests_until,
        "minutes_until": ledger.minutes_until,
        "seen": ledger.seen.to_text(),
        "counts": dict(ledger.counts),
        "traffic": ledger.traffic,
        "observed": ledger.observed,
        "unknown": ledger.unknown,
        "report": ledger.report,
    }


def _ledger(written: dict[str, Any], test: Test, memory: float) -> Ledger:
    found = (written["test"], written["plan_sha256"])
    if found != (test.id, test.plan_sha256):
        raise StepError(
            f"The state of the test {test.id} with the plan {test.plan_sha256} is that of the test {found[0]} with the"
            f" plan {found[1]}: nothing is counted. Restore the last good version of the record, or abort the test:"
            " only a new test can have another plan."
        )
    if written["format"] != FORMAT:
        raise ValueError(f"its format must be {FORMAT}, got {written['format']!r}")
    return Ledger(
        state=State.from_json(written["state"]),
        requests_until=written["requests_until"],
        minutes_until=written["minutes_until"],
        seen=Seen.from_text(written["seen"], memory),
        counts=Counter(written["counts"]),
        traffic=written["traffic"],
        observed=written["observed"],
        unknown=[(begin, end) for begin, end in written["unknown"]],
        report=written["report"],
    )
