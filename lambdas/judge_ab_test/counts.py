"""All that is kept of a metric: how often each outcome occurred, for each variant, share of traffic and epoch.

The centre, around which a test bets, is the pooled mean of all earlier epochs. The first epoch ends after
``minimum_sample`` outcomes, each other when the outcomes have doubled. Inside an epoch the order of outcomes is of no
account, and everything else is computed from the counts again at each look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Observation(NamedTuple):
    """One outcome.

    Attributes:
        challenger: Whether the challenger responded.
        share: The challenger's share of the traffic when the variant was chosen.
        bin: Which outcome: 0 and 1 are failure and success of a rate; else the value, from 0 to ``bins - 1``.
    """

    challenger: bool
    share: float
    bin: int


@dataclass(frozen=True, slots=True)
class Segment:
    """The outcomes of one epoch that were assigned with one share.

    Attributes:
        epoch: 0 for the outcomes that set the first centre.
        share: The challenger's share.
        champion: How often each outcome of the champion occurred.
        challenger: The same of the challenger.
    """

    epoch: int
    share: float
    champion: tuple[int, ...]
    challenger: tuple[int, ...]

    @property
    def total(self) -> int:
        """Outcomes of both variants."""
        return sum(self.champion) + sum(self.challenger)


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one metric.

    Attributes:
        minimum_sample: Outcomes in the first epoch.
        bins: Number of different outcomes.
        segments: In the order in which they began.
    """

    minimum_sample: int
    bins: int = 2
    segments: tuple[Segment, ...] = ()

    @property
    def total(self) -> int:
        """Outcomes of both variants."""
        return sum(segment.total for segment in self.segments)

    @property
    def champion(self) -> tuple[int, ...]:
        """How often each outcome of the champion occurred, over all segments."""
        return tuple(map(sum, zip(*(segment.champion for segment in self.segments), strict=True))) or (0,) * self.bins

    @property
    def challenger(self) -> tuple[int, ...]:
        """How often each outcome of the challenger occurred, over all segments."""
        return tuple(map(sum, zip(*(segment.challenger for segment in self.segments), strict=True))) or (0,) * self.bins

    def add(self, observations: Iterable[Observation]) -> Tally:
        """Return the tally with more outcomes, which must come in their final order (see ``maturity``)."""
        cells = {(s.epoch, s.share): (list(s.champion), list(s.challenger)) for s in self.segments}
        total, epoch = self.total, 0
        while total >= self._end(epoch):
            epoch += 1
        for observation in observations:
            if not 0.0 < observation.share < 1.0:
                raise ValueError(f"share: must be above 0 and below 1, got {observation.share}")
            if not 0 <= observation.bin < self.bins:
                raise ValueError(f"bin: must be from 0 to {self.bins - 1}, got {observation.bin}")
            key = (epoch, observation.share)
            if key not in cells:
                cells[key] = ([0] * self.bins, [0] * self.bins)
            cells[key][observation.challenger][observation.bin] += 1
            total += 1
            if total == self._end(epoch):
                epoch += 1
        segments = (Segment(*key, tuple(champion), tuple(other)) for key, (champion, other) in cells.items())
        return Tally(self.minimum_sample, self.bins, tuple(segments))

    def centres(self) -> dict[int, float]:
        """Return the centre of each epoch that has one: the pooled mean of all earlier epochs, never 0 or 1.

        The first epoch has the centre that its own outcomes set, once it is complete. Under the hypothesis that the
        variant does not matter at all, pooled outcomes tell nothing about variants, so a test of that hypothesis may
        bet on them too. Any other test must leave the first epoch out.
        """
        found: dict[int, float] = {}
        total, weight = 0, 0.0
        epochs = sorted({segment.epoch for segment in self.segments})
        for epoch in range(epochs[-1] + 2 if epochs else 0):
            if total >= self._end(epoch - 1):
                found[epoch] = (weight / (self.bins - 1) + 0.5) / (total + 1.0)
            for segment in self.segments:
                if segment.epoch == epoch:
                    total += segment.total
                    weight += sum(bin * count for bin, count in enumerate(segment.champion))
                    weight += sum(bin * count for bin, count in enumerate(segment.challenger))
        if 1 in found:
            found[0] = found[1]
        else:
            found.pop(0, None)
        return found

    def _end(self, epoch: int) -> int:
        """Return after how many outcomes an epoch is complete."""
        return self.minimum_sample * 2**epoch if epoch >= 0 else 0

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        segments = [[s.epoch, s.share, list(s.champion), list(s.challenger)] for s in self.segments]
        return {"minimum_sample": self.minimum_sample, "bins": self.bins, "segments": segments}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Tally:
        """Read what ``to_json`` has written. Raises ValueError where the counts cannot be those of a test."""
        segments = (Segment(epoch, share, tuple(a), tuple(b)) for epoch, share, a, b in written["segments"])
        tally = cls(written["minimum_sample"], written["bins"], tuple(segments))
        sizes: dict[int, int] = {}
        for segment in tally.segments:
            sizes[segment.epoch] = sizes.get(segment.epoch, 0) + segment.total
        for epoch in range(max(sizes, default=0)):
            if sizes.get(epoch, 0) != tally._end(epoch) - tally._end(epoch - 1):
                raise ValueError(f"epoch {epoch} has {sizes.get(epoch, 0)} outcomes")
        return tally
