"""The watch over the traffic of one release: takes windows of records, says which features have drifted.

An alarm needs both: evidence, or chance would ring it; and an effect size above its limit, or a million records would
ring it for a difference that does not matter.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watch_traffic.effect import Effect, psi, records_needed, wasserstein
from watch_traffic.evidence import Evidence, Game
from watch_traffic.finding import Finding, change
from watch_traffic.plan import HOUR
from watch_traffic.recent import Recent
from watch_traffic.ties import ties

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watch_traffic.baseline import Baseline, Feature
    from watch_traffic.plan import Plan
    from watch_traffic.recent import Window

FORMAT = 1
# Effect sizes are measured over so many records that their noise is this part of their limits; but more records than
# the training data has do not help.
_WANTED_NOISE = 0.25


@dataclass
class Watch:
    """
    Attributes:
        baseline: What the training data looks like.
        plan: The level and the limits.
        records: Records so far.
        evidence: Of each feature.
        recent: The last windows.
    """

    baseline: Baseline
    plan: Plan
    records: int
    evidence: list[Evidence]
    recent: Recent
    _games: list[Game] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._games = [Game.of(feature) for feature in self.baseline.features]

    @classmethod
    def of(cls, baseline: Baseline, plan: Plan) -> Watch:
        """Return a watch before its first record."""
        features = baseline.features
        limits = plan.log_limits([feature.name for feature in features])
        evidence = [Evidence.of(feature, limit) for feature, limit in zip(features, limits, strict=True)]
        return cls(baseline, plan, 0, evidence, _recent(baseline, plan))

    def add(self, begin: float, columns: Mapping[str, Sequence[object]]) -> None:
        """Take the records of a window, or a part of them, in the order of time.

        The parts do not matter, so a part may be as small as memory demands.

        Args:
            begin: Begin of the window, in seconds since 1970.
            columns: Of each feature, its value in each record.

        Raises:
            ValueError: If a feature has no column, or one of another length.
        """
        features = self.baseline.features
        if missing := [feature.name for feature in features if feature.name not in columns]:
            raise ValueError(f"columns: there is none for {', '.join(missing)}")
        values = [columns[feature.name] for feature in features]
        count = len(values[0]) if values else 0
        if any(len(column) != count for column in values):
            raise ValueError("columns: must have the same number of records")
        if not count:
            return
        numbers = ties(self.plan.salt, self.records, count)
        placed = [feature.bins.place(column) for feature, column in zip(features, values, strict=True)]
        for evidence, game, one in zip(self.evidence, self._games, placed, strict=True):
            evidence.add(game, one.places, numbers, begin)
        self.recent.add(begin, count, placed, [feature.bins.size for feature in features])
        self.records += count

    def findings(self) -> list[Finding]:
        """Return what is known about each feature now."""
        return [self._finding(place, feature) for place, feature in enumerate(self.baseline.features)]

    def _finding(self, place: int, feature: Feature) -> Finding:
        evidence = self.evidence[place]
        window = self.recent.since(-math.inf if evidence.shown is None else evidence.shown.since)
        size, distance, counts = Effect(0.0, math.inf), None, [0] * feature.bins.size
        if window is not None:
            counts = list(window.counts[place])
            size, distance = psi(feature, counts), wasserstein(feature, counts, window.sums[place])
        exceeds = size.exceeds(self.plan.psi_limit) or (
            distance is not None and distance.exceeds(self.plan.wasserstein_limit)
        )
        return Finding(
            feature=feature.name,
            records=0 if window is None else window.records,
            psi=size,
            wasserstein=distance,
            log_evidence=evidence.log_value(self._games[place].bets),
            log_limit=evidence.limit,
            shown=evidence.shown,
            change=change(feature, counts),
            alarm=evidence.shown is not None and exceeds and self._is_long(window),
            counts=tuple(counts),
        )

    def _is_long(self, window: Window | None) -> bool:
        """Whether the window, up to the newest one, is long enough for an alarm."""
        return window is not None and self.recent.windows[-1].begin - window.begin >= self.plan.min_hours * HOUR

    def to_json(self) -> dict[str, Any]:
        """Return everything but the baseline and the plan as JSON."""
        return {
            "format": FORMAT,
            "sha256": _sha256(self.baseline, self.plan),
            "records": self.records,
            "evidence": [one.to_json() for one in self.evidence],
            "recent": self.recent.to_json(),
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any], baseline: Baseline, plan: Plan) -> Watch:
        """Read what ``to_json`` has written. Raises ValueError if it is that of another baseline or plan."""
        if (written["format"], written["sha256"]) != (FORMAT, _sha256(baseline, plan)):
            raise ValueError("this is the state of another baseline or plan: a changed one begins a new watch")
        features = zip(written["evidence"], baseline.features, strict=True)
        found = cls(
            baseline,
            plan,
            written["records"],
            [Evidence.from_json(one, feature) for one, feature in features],
            _recent(baseline, plan),
        )
        found.recent.read(written["recent"])
        return found


def _recent(baseline: Baseline, plan: Plan) -> Recent:
    limits = plan.psi_limit, plan.wasserstein_limit
    needed = [min(records_needed(one, *limits, _WANTED_NOISE), sum(one.counts)) for one in baseline.features]
    return Recent(max(needed, default=0.0), plan.min_hours * HOUR)


def _sha256(baseline: Baseline, plan: Plan) -> str:
    content = [baseline.rows, [feature.to_json() for feature in baseline.features], plan.to_json()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
