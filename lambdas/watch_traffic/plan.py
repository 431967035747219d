"""What is promised and what is tolerated, fixed before the first record."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOUR = 3_600.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    Attributes:
        level: Largest probability of a false alarm over the whole stream, all features together.
        weights: Of the features: how the level is shared. A feature without one has 1.
        psi_limit: Population stability index that is tolerated. 0.1 is the usual border of a "moderate" change.
        wasserstein_limit: Distance in standard deviations that is tolerated. 0.1 is also Evidently's.
        min_hours: An alarm needs records of so many hours: 24 where the traffic differs from hour to hour.
        salt: Of the random numbers: any text that has nothing to do with the data.
    """

    level: float = 0.05
    weights: Mapping[str, float] = field(default_factory=dict)
    psi_limit: float = 0.1
    wasserstein_limit: float = 0.1
    min_hours: float = 0.0
    salt: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"level: must be above 0 and below 1, got {self.level}")
        if wrong := [name for name, weight in self.weights.items() if not 0.0 < weight < math.inf]:
            raise ValueError(f"weights: must be above 0, got {self.weights[wrong[0]]} for {wrong[0]}")
        limits = {"psi_limit": self.psi_limit, "wasserstein_limit": self.wasserstein_limit, "min_hours": self.min_hours}
        for name, value in limits.items():
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name}: must be 0 or more, got {value}")

    def log_limits(self, names: Sequence[str]) -> list[float]:
        """Return the logarithm of the evidence that each feature needs.

        With shares w of the level that add up to 1, the probability that any evidence ever reaches ``1 / (w level)``
        is at most the sum of ``w level``, however the features depend on each other.
        """
        if unknown := self.weights.keys() - set(names):
            raise ValueError(f"weights: there is no feature {', '.join(sorted(unknown))}")
        weights = [self.weights.get(name, 1.0) for name in names]
        whole = math.fsum(weights)
        return [math.log(whole / weight / self.level) for weight in weights]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return asdict(self)
