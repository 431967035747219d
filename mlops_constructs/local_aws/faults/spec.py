"""The text of a fault: ``NAME[:argument...][:option=value...]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.faults.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REQUIRED = object()
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MAX_DAYS = 366


@dataclass(frozen=True)
class Parameter:
    """An argument or an option of a kind of fault.

    Attributes:
        name: As in the text.
        help: What it is.
        read: Reads its value; raises ValueError or FaultError.
        default: Its value when it is not given; ``REQUIRED`` when it must be.
    """

    name: str
    help: str
    read: Callable[[str], Any] = str
    default: Any = REQUIRED


def choice(*allowed: str) -> Callable[[str], str]:
    """Read one of some words."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return read


def at_least(least: int) -> Callable[[str], int]:
    """Read a whole number."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ValueError(f"must be a whole number, at least {least}")
        return int(text)

    return read


def seconds(text: str) -> float:
    """Read a number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise ValueError("must be a number of seconds")
    return value


def duration(text: str) -> float:
    """Read a time such as ``7d``, ``36h`` or ``1d12h30m``; return its seconds."""
    if not re.fullmatch(r"(\d+d)?(\d+h)?(\d+m)?(\d+s)?", text) or not text:
        raise ValueError("must be a time in days, hours, minutes and seconds, such as 7d or 1d12h")
    whole = sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([dhms])", text))
    if not 0 < whole <= _MAX_DAYS * 86_400:
        raise ValueError(f"must be longer than 0, and at most {_MAX_DAYS}d")
    return float(whole)


def split(text: str) -> tuple[str, list[str]]:
    """Return the name of a fault, and its arguments and options."""
    name, *rest = text.split(":")
    return name, rest


def read_values(
    name: str,
    arguments: Sequence[Parameter],
    options: Sequence[Parameter],
    given: Sequence[str],
    named: Mapping[str, object],
) -> dict[str, Any]:
    """Return the values of all parameters by name.

    Raises:
        FaultError: with everything that is wrong.
    """
    known = {one.name: one for one in (*arguments, *options)}
    texts, positions, problems = dict[str, str](), list(arguments), list[str]()
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key in known:
            texts[key] = value
        elif positions:
            texts[positions.pop(0).name] = text
        else:
            problems.append(f"{text!r} is not an option; it has: {', '.join(one.name for one in options)}")
    for key, one in named.items():
        if key not in known:
            problems.append(f"{key!r} is not an option; it has: {', '.join(known)}")
        texts[key] = str(one)
    values = {}
    for parameter in known.values():
        try:
            values[parameter.name] = _value(parameter, texts.get(parameter.name))
        except (ValueError, FaultError) as error:
            problems.append(f"{parameter.name} {error}" if isinstance(error, ValueError) else str(error))
    if problems:
        raise FaultError(f"{name}: {'; '.join(problems)}")
    return values


def _value(parameter: Parameter, text: str | None) -> Any:
    if text:
        return parameter.read(text)
    if parameter.default is REQUIRED:
        raise ValueError(f"is missing ({parameter.help})")
    return parameter.default
