"""Text in policies: wildcards and policy variables."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .request import Context

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DEFAULT = re.compile(r"\s*([^,]+?)\s*,\s*'(.*)'\s*", re.DOTALL)
_ARN_COLONS = 5

# Pieces of a text: text that the policy contains, where wildcards apply, and values of variables, where they do not.
Pieces = tuple[tuple[str, bool], ...]
WRITTEN, GIVEN = True, False


def resolve(text: str, context: Context, *, variables: bool) -> Pieces | None:
    """Replace policy variables by the values of the request.

    ``${*}``, ``${?}`` and ``${$}`` are the characters themselves. A key with several values cannot be used as a
    variable. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

    Args:
        text: The text in the policy.
        context: Condition keys of the request.
        variables: Whether the policy's version supports variables (2012-10-17 does); otherwise they are plain text.

    Returns:
        The pieces; None when a variable has no value and no default.
    """
    if not variables or "${" not in text:
        return ((text, WRITTEN),)
    pieces: list[tuple[str, bool]] = []
    end = 0
    for variable in _VARIABLE.finditer(text):
        pieces.append((text[end : variable.start()], WRITTEN))
        value = _value(variable.group(1), context)
        if value is None:
            return None
        pieces.append((value, GIVEN))
        end = variable.end()
    pieces.append((text[end:], WRITTEN))
    return tuple(pieces)


def _value(name: str, context: Context) -> str | None:
    if name in ("*", "?", "$"):
        return name
    key, default = name.strip(), None
    with_default = _DEFAULT.fullmatch(name)
    if with_default is not None:
        key, default = with_default.groups()
    values = context.get(key)
    return values[0] if len(values) == 1 else default


def plain(pieces: Pieces) -> str:
    """Return the whole text; wildcards are ordinary characters."""
    return "".join(text for text, _ in pieces)


def is_like(pieces: Pieces, value: str, *, ignore_case: bool = False) -> bool:
    """Whether a value matches a text in which ``*`` is any number of characters (also 0) and ``?`` is exactly one."""
    return _pattern(pieces, ignore_case).fullmatch(value) is not None


def is_arn_like(pieces: Pieces, arn: str) -> bool:
    """Whether an ARN matches the text of a Resource element.

    A wildcard matches characters within its segment, the part between two colons. As the last character of a
    segment, ``*`` also matches colons; in the last of the six segments, wildcards match anything.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return _arn_pattern(pieces).fullmatch(arn) is not None


def is_arn_equal(pieces: Pieces, arn: str) -> bool:
    """Whether an ARN matches the value of an Arn condition operator: each of the six segments is compared by itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    expected, actual = _split_pieces(pieces), arn.split(":", _ARN_COLONS)
    if len(expected) != _ARN_COLONS + 1 or len(actual) != _ARN_COLONS + 1:
        return False
    return all(is_like(segment, value) for segment, value in zip(expected, actual, strict=True))


def _split_pieces(pieces: Pieces) -> list[Pieces]:
    segments: list[list[tuple[str, bool]]] = [[]]
    for text, written in pieces:
        parts = text.split(":", _ARN_COLONS + 1 - len(segments)) if written else [text]
        segments[-1].append((parts[0], written))
        segments.extend([(part, written)] for part in parts[1:])
    return [tuple(segment) for segment in segments]


@lru_cache(maxsize=4096)
def _pattern(pieces: Pieces, ignore_case: bool) -> re.Pattern[str]:
    parts = (_wild(text) if written else re.escape(text) for text, written in pieces)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _wild(text: str) -> str:
    return re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")


@lru_cache(maxsize=4096)
def _arn_pattern(pieces: Pieces) -> re.Pattern[str]:
    segments = _split_pieces(pieces)
    parts = [_segment(segment, last=number >= _ARN_COLONS) for number, segment in enumerate(segments)]
    return re.compile(":".join(parts), re.DOTALL)


def _segment(pieces: Pieces, *, last: bool) -> str:
    within = "".join(_within(text, last) if written else re.escape(text) for text, written in pieces)
    spans = not last and pieces[-1][1] and pieces[-1][0].endswith("*")
    return f"{within.removesuffix('[^:]*')}.*" if spans else within


def _within(text: str, last: bool) -> str:
    return _wild(text) if last else re.escape(text).replace(r"\*", "[^:]*").replace(r"\?", "[^:]")


def any_like(texts: Iterable[str], value: str) -> bool:
    """Whether a value matches one of several texts, ignoring case, as actions are matched."""
    return any(is_like(((text, WRITTEN),), value, ignore_case=True) for text in texts)
