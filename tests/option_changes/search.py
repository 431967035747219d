"""Which of many changes replace or delete anything, with few plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from option_changes.options import is_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from option_changes.effects import Effect
    from option_changes.options import Change

_MOST = 24


def effects(
    base: Mapping[str, Any],
    changes: Sequence[Change],
    alone: Collection[str],
    effect: Callable[[Mapping[str, Any], str], Effect],
) -> Iterator[tuple[Change, Effect]]:
    """Give each change with its effect.

    Changes that do not touch each other are planned together. What replaces or deletes nothing together does so alone
    neither: the attributes that differ are those of each change, and none hides another, because nothing goes away.
    What does is halved until each change is by itself.

    Args:
        base: Arguments of the deployed pipeline.
        changes: The changes.
        alone: Options that are planned by themselves from the start.
        effect: Gives the effect of other arguments and of the construct id.
    """
    waiting = groups(base, changes, alone)
    while waiting:
        group = waiting.pop()
        found = effect(applied(base, group), group[0].id_)
        if len(group) == 1 or not found:
            yield from ((change, found) for change in group)
        else:
            half = len(group) // 2
            waiting += [group[:half], group[half:]]


def applied(base: Mapping[str, Any], group: Sequence[Change]) -> dict[str, Any]:
    """Give the arguments of a pipeline with all changes of a group."""
    arguments = dict(base)
    for change in group:
        arguments = change.applied(arguments)
    return arguments


def groups(base: Mapping[str, Any], changes: Sequence[Change], alone: Collection[str]) -> list[list[Change]]:
    """Give the changes in as few groups as possible, each of changes that do not touch each other."""
    found: list[list[Change]] = []
    for change in changes:
        fitting = (
            group
            for group in found
            if len(group) < _MOST
            and change.option not in alone
            and group[0].option not in alone
            and all(change.fits(one) for one in group)
            and is_valid(applied(base, [*group, change]))
        )
        group = next(fitting, None)
        if group is None:
            found.append([change])
        else:
            group.append(change)
    return found
