"""Changes that are really applied: one after the other, in random order, each with a second plan."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from mlops_constructs.errors import RehearsalError
from option_changes.bases import BASES
from option_changes.planning import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from option_changes.options import Change
    from option_changes.site import Site


def applied(site: Site, name: str, some: Sequence[Change], seed: int, count: int) -> Iterator[str]:
    """Apply ``count`` changes of a base, each back again; give what went wrong, with the seed's number of the change.

    A change that the apply refuses because data would be lost is no failure: the state is brought back all the same.
    """
    site.deploy(BASES[name], folder_of(name))
    for number, change in enumerate(random.Random(seed).sample(list(some), min(count, len(some)))):
        began = time.monotonic()
        for text, arguments, id_ in (("there", change.applied(BASES[name]), change.id_), ("back", BASES[name], "p")):
            try:
                site.apply(arguments, id_, folder_of(name))
                left = site.terraform(folder_of(name)).drift()
            except RehearsalError as error:
                left = [str(error)]
            if left:
                yield f"{name} {number} {change.option} = {change.value}, {text}: {'; '.join(left)}"
        seconds = time.monotonic() - began
        print(f"applied {change.option} = {change.value} and back in {seconds:.0f} s", flush=True)
