"""What is watched of one release: groups of features, each with its baseline and its part of the level."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from watch_traffic.baseline import Baseline
from watch_traffic.estimate import Recent
from watch_traffic.plan import Plan
from watch_traffic.quality import Quality
from watch_traffic.state import Ledger
from watch_traffic.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watch_traffic.released import BaselineOfRelease, Released

FEATURES, PREDICTIONS = "features", "predictions"
# Arguments with which other records would count, or raise other alarms.
_COUNTED = ("looks_every_seconds", "one_record_per_user", "quality")


@dataclass(frozen=True)
class Group:
    """Features of which each record has all.

    Attributes:
        baseline: Their baseline.
        plan: Their part of the plan.
        names: Of all values of a record, those of ignored features included.
    """

    baseline: Baseline
    plan: Plan
    names: tuple[str, ...]


@dataclass(frozen=True)
class Watched:
    """The watch over a release.

    Attributes:
        released: The release.
        baseline: Its baseline.
        config: The arguments of ``Monitoring``.
        groups: Its groups: ``features`` and ``predictions``, as far as there are baselines.
    """

    released: Released
    baseline: BaselineOfRelease
    config: Mapping[str, Any]
    groups: Mapping[str, Group]

    @classmethod
    def of(cls, released: Released, baseline: BaselineOfRelease, config: Mapping[str, Any]) -> Watched:
        """Return the watch over a release."""
        found: dict[str, Group] = {}
        plan, weights = config["plan"], config["plan"]["weights"]
        ignored = set(config["ignored_features"])
        for name, one in ((FEATURES, baseline.features), (PREDICTIONS, baseline.predictions)):
            if one is None or (name == PREDICTIONS and not config["predictions"]):
                continue
            kept = tuple(feature for feature in one.features if feature.name not in ignored)
            if kept:
                own = {feature.name: weights[feature.name] for feature in kept if feature.name in weights}
                salt = f"{released.package} {name}"
                part = Plan(**{**plan, "weights": own, "salt": salt})
                found[name] = Group(Baseline(one.rows, kept), part, tuple(feature.name for feature in one.features))
        # The level of all features together is the sum of both parts.
        weighed = {name: _weight(group) for name, group in found.items()}
        whole = math.fsum(weighed.values())
        for name, group in found.items():
            level = group.plan.level * weighed[name] / whole
            found[name] = replace(group, plan=replace(group.plan, level=level))
        return cls(released, baseline, config, found)

    @property
    def id(self) -> str:
        """Return what tells this watch from one with another release, baseline or plan."""
        content: dict[str, Any] = {name: asdict(group.plan) for name, group in self.groups.items()}
        bases = {name: [one.to_json() for one in group.baseline.features] for name, group in self.groups.items()}
        counted = {name: self.config[name] for name in _COUNTED}
        known = [self.released.package, self.released.since, content, bases, counted]
        return f"{self.released.name}-{hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]}"

    @property
    def interval(self) -> float:
        """Seconds between two looks, of which an hour is a multiple."""
        return float(self.config["looks_every_seconds"])

    def ledger(self) -> Ledger:
        """Return the state before the first record."""
        quality = self.config["quality"]
        since = self.released.since
        return Ledger(
            until=since // self.interval * self.interval,
            watches={name: Watch.of(group.baseline, group.plan) for name, group in self.groups.items()},
            estimated=None if self.baseline.calibration is None else Recent(),
            quality=None if quality is None else Quality.of(quality["min_accuracy"], quality["level"]),
            quality_until=since // 3600 * 3600,
        )


def _weight(group: Group) -> float:
    weights = group.plan.weights
    return math.fsum(weights.get(feature.name, 1.0) for feature in group.baseline.features)
