"""Parse SageMaker's strings as the algorithm's typed hyperparameters."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from typing import TYPE_CHECKING, Any, TypeVar

from sagemaker_contract.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Declared = TypeVar("Declared")

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def parse_hyperparameters(given: Mapping[str, Any], declared: type[Declared]) -> Declared:
    """Create the dataclass ``declared``, whose fields are int, float, bool, str or ``... | None``.

    A hyphen in a name counts as an underscore. Names that start with ``_`` or ``sagemaker_`` are SageMaker's own.

    Raises:
        ConfigurationError: If any is invalid; the message names all unknown hyperparameters and invalid values.
    """
    annotations = typing.get_type_hints(declared)
    fields = {field.name: annotations[field.name] for field in dataclasses.fields(declared)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in given.items():
        field = name.replace("-", "_")
        if field.startswith(("_", "sagemaker_")):
            continue
        if field not in fields:
            problems.append(f"{name} is unknown (known: {', '.join(fields)})")
            continue
        try:
            values[field] = _parse(value if isinstance(value, str) else json.dumps(value), fields[field])
        except ValueError as error:
            problems.append(f"{name} must be {error}, got {value!r}")
    if problems:
        raise ConfigurationError("hyperparameters: " + "; ".join(problems))
    try:
        return declared(**values)
    except ValueError as error:
        raise ConfigurationError(f"hyperparameters: {error}") from error


def _parse(text: str, kind: Any) -> Any:
    """Parse ``text`` as ``kind``; the message of a ValueError says what it must be."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        (kind,) = (option for option in typing.get_args(kind) if option is not types.NoneType)
        if text.strip().lower() in ("none", "null", ""):
            return None
        try:
            return _parse(text, kind)
        except ValueError as error:
            raise ValueError(f"{error} or none") from error
    parse, wanted = _PARSERS[kind]
    try:
        return parse(text)
    except (ValueError, KeyError) as error:
        raise ValueError(wanted) from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _boolean(text: str) -> bool:
    return _BOOLEANS[text.strip().lower()]


_PARSERS: dict[Any, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    float: (_finite, "a number"),
    bool: (_boolean, "true or false"),
    str: (str, "text"),
}
