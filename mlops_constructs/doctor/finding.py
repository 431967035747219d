"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        thing: What was checked, such as ``Node.js``.
        state: ``good``; ``warning`` where it works, but costs time or will stop working; ``broken`` where a synth, a
            deployment or a rehearsal fails.
        detail: What was found.
        remedy: What to do, in one sentence; empty when good.
    """

    thing: str
    state: State
    detail: str
    remedy: str = ""
