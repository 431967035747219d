"""Every option of every kind of part, and other values for it."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from configuration import members, replaced

from mlops_constructs import ConfigError
from mlops_constructs.config import PipelineConfig
from mlops_constructs.config._kinds import choices_of, hints_of
from mlops_constructs.config.pipeline import Arguments
from option_changes.values import TOGETHER, VALUES

ID = "p"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from configuration import Step


@dataclass(frozen=True)
class Change:
    """One option of a base with another value.

    Attributes:
        option: Its path, without the numbers of lists and the keys of mappings, such as ``dataset.contract.columns``.
        value: The other value, as a person would write it.
        edits: Path to the value there: the option's, and those of others that must change with it.
        id_: Construct id of the pipeline.
    """

    option: str
    value: str
    edits: Mapping[tuple[Step, ...], Any]
    id_: str = ID

    def applied(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Give the arguments of a pipeline with this change."""
        changed = dict(arguments)
        for path, value in self.edits.items():
            changed = replaced(changed, path, value)
        return changed

    def fits(self, other: Change) -> bool:
        """Tell whether neither changes what the other one does."""
        pairs = ((one, two) for one in self.edits for two in other.edits)
        return self.id_ == other.id_ and not any(one[: len(two)] == two[: len(one)] for one, two in pairs)


def option_of(path: tuple[Step, ...]) -> str:
    """Give the option at a path: the fields on the way to it."""
    kept: list[str] = []
    mappings = ("hyperparameter_ranges", "hyperparameters", "environment", "roles", "tags", "weights")
    for before, step in zip(("", *path), path, strict=False):
        if isinstance(step, str) and before not in mappings:
            kept.append(step)
    return ".".join(kept)


@cache
def options() -> dict[str, tuple[type, str]]:
    """Give every option there is, with its class and field: also of a part that no base has."""
    found: dict[str, tuple[type, str]] = {}

    def walk(kind: Any, path: str) -> None:
        for name, hint in hints_of(kind).items():
            option = f"{path}.{name}" if path else name
            # A part that is always there has nothing to change but its own fields.
            if NoneType in get_args(hint) or not dataclasses.is_dataclass(choices_of(hint)[0]):
                found[option] = (kind, name)
            for part in _parts_in(hint):
                walk(part, option)

    walk(Arguments, "")
    return found


def changes(
    base: Mapping[str, Any], wanted: Callable[[str, str], bool] = lambda option, value: True
) -> Iterator[Change]:
    """Give each option of a base with other values, as far as a pipeline takes them.

    An option that needs another one to change with it has its values in ``values.TOGETHER``.

    Args:
        base: Arguments of the deployed pipeline.
        wanted: Whether an option is changed to a value; to find out what a pipeline takes costs time.
    """
    for path, hint, value in _fields(dict(base)):
        option = option_of(path)
        for new in _other_values(option, hint, value):
            change = Change(option, _written(new), {path: new})
            if new != value and wanted(option, change.value) and is_valid(change.applied(base)):
                yield change
    for together in TOGETHER:
        for option, text, arguments in together(dict(base)):
            if wanted(option, text) and is_valid(arguments):
                different: dict[tuple[Step, ...], Any] = {
                    (name,): value for name, value in arguments.items() if value != base[name]
                }
                if different:
                    yield Change(option, text, different)
    if wanted("id_", "another"):
        yield Change("id_", "another", {}, "other")


def _parts_in(hint: Any) -> Iterator[Any]:
    """Give the classes of parts that a field holds: itself, in a list or in a mapping."""
    for one in choices_of(hint):
        if dataclasses.is_dataclass(one):
            yield one
        else:
            for inner in get_args(one):
                if get_origin(one) is not Literal:
                    yield from _parts_in(inner)


def _fields(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any, Any]]:
    """Give path, type and value of every field; of several entries of a list or a mapping the first of each class."""
    kind: Any = Arguments if not path else type(value)
    if not path or dataclasses.is_dataclass(value):
        for name, hint in hints_of(kind).items():
            yield (*path, name), hint, dict(members(value))[name]
    seen: set[tuple[str, type]] = set()
    for step, inner in members(value):
        key = (option_of((*path, step)), type(inner))
        if key not in seen:
            seen.add(key)
            yield from _fields(inner, (*path, step))


def _other_values(option: str, hint: Any, value: Any) -> Iterator[Any]:
    """Give other values of a field, None included where it may stand."""
    listed = VALUES.get(option, VALUES.get(option.rpartition(".")[2], ()))
    if value is not None and NoneType in get_args(hint):
        yield None
    if dataclasses.is_dataclass(value) and NoneType not in get_args(hint):
        return
    if listed:
        yield from listed
        return
    kind = choices_of(hint)[0]
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    elif kind is bool:
        yield not value
    elif kind in (int, float) and value is not None:
        yield value + 1 if kind is int else value * 0.8 + 0.01


def is_valid(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a pipeline takes these arguments."""
    try:
        PipelineConfig(**arguments)
    except ConfigError:
        return False
    return True


def _written(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return f"{type(value).__name__}(...)"
    if isinstance(value, float):
        return f"{value:g}"
    # Of this machine.
    return re.sub(r"PosixPath\('.*/(\w+)'\)", r"'\1'", repr(value))
