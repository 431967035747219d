"""What an endpoint keeps of its requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._part import Part
from ._rules import in_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCapture(Part):
    """Store requests and responses in the artifact bucket, for monitoring; the smoke test fails if nothing is stored.

    Attributes:
        sampling_percentage: Percentage of the requests to capture, 1 to 100. Literal.
    """

    sampling_percentage: int = 20

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("sampling_percentage", self.sampling_percentage, 1, 100, "percent")
