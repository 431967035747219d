"""Which changes are planned against which base, and the rows that come of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from option_changes.bases import BASES
from option_changes.effects import effect_of
from option_changes.options import ID, changes
from option_changes.rows import Row
from option_changes.search import effects

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any

    from option_changes.effects import Effect
    from option_changes.options import Change
    from option_changes.site import Deployed, Site

# The two that differ in everything; of the others only what they alone have is changed.
_WHOLE = ("made", "given")


def chosen() -> dict[str, list[Change]]:
    """Give the changes of each base: none twice, and each source of an algorithm given up for every other one."""
    known: set[tuple[str, str]] = set()
    found: dict[str, list[Change]] = {}
    for name, base in BASES.items():
        wanted = partial(_is_wanted, name, frozenset(known), frozenset(option for option, _ in known))
        found[name] = list(changes(base, wanted))
        known |= {(change.option, change.value) for change in found[name]}
    return found


def _is_wanted(
    base: str, known: Collection[tuple[str, str]], options: Collection[str], option: str, value: str
) -> bool:
    is_new = base in _WHOLE and (option, value) not in known
    return is_new or option not in options or option.startswith("algorithm.")


def folder_of(name: str) -> str:
    """Give the folder of Terraform in which a base is deployed and planned: the first one stays as it is."""
    return _WHOLE[0] if name == _WHOLE[0] else "others"


def planned(site: Site, name: str, deployed: Deployed, some: list[Change], alone: Collection[str]) -> Iterator[Row]:
    """Give a row for each change of a base, in the order in which they become known.

    Raises:
        AssertionError: when Terraform would change something although nothing was.
    """
    nothing = site.planned(deployed, BASES[name], ID, folder_of(name))
    assert nothing == [], f"{name}: a plan without a change is not empty: {nothing}"

    def effect(arguments: Mapping[str, Any], id_: str) -> Effect:
        return effect_of(site.planned(deployed, arguments, id_, folder_of(name)))

    for change, found in effects(BASES[name], some, alone, effect):
        yield Row(name, change.option, change.value, list(found.data), list(found.others))
