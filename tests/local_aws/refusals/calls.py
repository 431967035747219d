"""The calls, as changes of a request that AWS takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_aws.refusals.world import Params, World

LEFT_OUT = object()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that AWS refuses.

    Attributes:
        id: Of the test.
        call: Service and operation; `World.request` gives the good one.
        code: Of AWS's error.
        source: Who says so: a member of botocore's model with its text, a page of AWS, or a public report.
        changes: Member to its bad value, by dots and positions; `LEFT_OUT` leaves it out; a function asks the world.
    """

    id: str
    call: str
    code: str
    source: str
    changes: Mapping[str, Any]

    def request(self, world: World) -> Params:
        """Give the bad request."""
        made = world.request(self.call)
        for path, value in self.changes.items():
            _change(made, path.split("."), value(world) if callable(value) else value)
        return made


def _change(place: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    last = path[-1]
    if value is LEFT_OUT:
        del place[int(last) if last.isdigit() else last]
    elif last.isdigit():
        place[int(last)] = value
    else:
        place[last] = value
