"""What a look says about a feature, as a row and as a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from watch_traffic.bins import NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watch_traffic.baseline import Feature
    from watch_traffic.capital import Shown
    from watch_traffic.effect import Effect


@dataclass(frozen=True)
class Finding:
    """
    Attributes:
        feature: Name of the feature.
        records: Records of the traffic over which the effect sizes are measured.
        psi: Population stability index.
        wasserstein: Distance in standard deviations; None for texts.
        log_evidence: Logarithm of the evidence now.
        log_limit: Logarithm of the evidence that is enough.
        shown: When the evidence first was enough; None until then.
        change: The bin whose share has changed most, in words.
        alarm: Whether evidence and effect size both exceed their limits.
        counts: How many of the records are in each bin.
    """

    feature: str
    records: int
    psi: Effect
    wasserstein: Effect | None
    log_evidence: float
    log_limit: float
    shown: Shown | None
    change: str
    alarm: bool
    counts: tuple[int, ...]

    def row(self) -> dict[str, Any]:
        """Return the finding as a flat row of JSON."""
        return {
            "feature": self.feature,
            "records": self.records,
            "psi": self.psi.value,
            "psi_noise": self.psi.noise if math.isfinite(self.psi.noise) else None,
            "wasserstein": None if self.wasserstein is None else self.wasserstein.value,
            "wasserstein_noise": None if self.wasserstein is None else self.wasserstein.noise,
            "log10_evidence": self.log_evidence / math.log(10.0),
            "log10_limit": self.log_limit / math.log(10.0),
            "shown_after_records": None if self.shown is None else self.shown.records,
            "shown_at": None if self.shown is None else self.shown.window,
            "since": None if self.shown is None else self.shown.since,
            "change": self.change,
            "alarm": self.alarm,
        }

    def sentence(self) -> str:
        """Return the finding as a sentence."""
        size = f"PSI {self.psi.value:.2f}"
        if self.wasserstein is not None:
            size += f", moved by {self.wasserstein.value:.2f} standard deviations"
        if self.shown is None:
            return f"{self.feature} is not shown to differ from the training data ({size})."
        since = datetime.fromtimestamp(self.shown.since, timezone.utc)
        verb = "has drifted" if self.alarm else "differs a little"
        return f"{self.feature} {verb} from the training data since {since:%Y-%m-%d %H:%M} UTC: {self.change} ({size})."


def change(feature: Feature, counts: Sequence[int]) -> str:
    """Return the bin that adds most to the population stability index, with its share now and in the training data."""
    before, records = sum(feature.counts), sum(counts)
    if not records:
        return "no records"
    shares = [(count / records, old / before) for count, old in zip(counts, feature.counts, strict=True)]
    weights = [(new - old) * math.log((new + 1e-6) / (old + 1e-6)) for new, old in shares]
    place = weights.index(max(weights))
    new, old = shares[place]
    return f"{100 * new:.1f} % are {bin_name(feature, place)}, {100 * old:.1f} % in the training data"


def bin_name(feature: Feature, place: int) -> str:
    """Return a bin in words."""
    bins = feature.bins
    if place == bins.known + 1:
        return "missing"
    if place == bins.known:
        return "no number" if bins.kind == NUMBER else "another value"
    if bins.kind != NUMBER:
        return repr(bins.categories[place]) if bins.categories[place] else "missing"
    if not bins.edges:
        return "any number"
    if place == 0:
        return f"at most {bins.edges[0]:g}"
    if place == len(bins.edges):
        return f"above {bins.edges[-1]:g}"
    return f"above {bins.edges[place - 1]:g} and at most {bins.edges[place]:g}"
