"""What was found of one thing that is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        thing: Such as ``Node.js``.
        state: ``good``; ``warning`` where it works, but costs time or will stop working; ``broken`` where a synth, a
            deployment or a rehearsal fails.
        detail: What is there.
        remedy: One sentence of what to do; empty when good.
    """

    thing: str
    state: State
    detail: str
    remedy: str = ""
