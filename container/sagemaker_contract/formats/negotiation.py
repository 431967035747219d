"""The media type of a request, and the choice of the media type of its response."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.formats.media_types import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterable

# ASCII text is also valid UTF-8.
_UTF_8 = frozenset({"utf-8", "utf-8-sig", "ascii"})
# Python knows a hundred more. Some are no charsets, some take a minute for a megabyte.
_CHARSETS = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso8859-1", "iso8859-15", "cp1252"})


def content_type(header: str | None, known: Iterable[str]) -> str:
    """Return the media type of a body, without parameters.

    Raises:
        RequestError: 415, if there is none or it is not in ``known``.
    """
    name = _name(header or "")
    if not name:
        raise RequestError(415, f"the request has no Content-Type; send one of {', '.join(known)}")
    if name not in known:
        raise RequestError(415, f"cannot read {name}; send one of {', '.join(known)}")
    return name


def charset(header: str | None) -> str | None:
    """Return Python's name of the charset parameter of a Content-Type; ``None`` for UTF-8, the default.

    Raises:
        RequestError: 415, for an unknown charset.
    """
    given = _parameter(header or "", "charset")
    if given is None:
        return None
    name = given.strip("\"'")
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        codec = ""
    if codec in _UTF_8:
        return None
    if codec not in _CHARSETS:
        raise RequestError(415, f"cannot read charset {name!r}; send UTF-8")
    return codec


def to_utf8(body: bytes, charset_name: str) -> bytes:
    """Return the body in UTF-8.

    Raises:
        InputError: If the body is not in the given charset.
    """
    try:
        return body.decode(charset_name).encode()
    except UnicodeError:
        raise InputError(f"the body is not {charset_name} text") from None


def answer_type(header: str | None, known: Iterable[str], preferred: str) -> str:
    """Return the media type for the response, by the Accept header's q-values; ``preferred`` breaks ties.

    Raises:
        RequestError: 406, if nothing in ``known`` is acceptable.
    """
    if not header or header.isspace():
        return preferred
    ranges = dict(_range(part) for part in header.split(",") if part.strip())
    quality = {name: _quality(name, ranges) for name in known}
    best = max(quality, key=lambda name: (quality[name], name == preferred))
    if quality[best] <= 0:
        raise RequestError(406, f"cannot respond with {header.strip()}; accept one of {', '.join(known)}")
    return best


def _name(media_type: str) -> str:
    name = media_type.split(";", 1)[0].strip().lower()
    return ALIASES.get(name, name)


def _parameter(header: str, wanted: str) -> str | None:
    for parameter in header.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == wanted:
            return value.strip()
    return None


def _range(part: str) -> tuple[str, float]:
    """A media range and its q-value; a q-value that is not a number is ignored."""
    try:
        return _name(part), float(_parameter(part, "q") or "1")
    except ValueError:
        return _name(part), 1.0


def _quality(name: str, ranges: dict[str, float]) -> float:
    """The q-value of the most specific range that matches ``name``."""
    main_type = name.split("/", 1)[0]
    fitting = (ranges[fit] for fit in (name, f"{main_type}/*", "*/*") if fit in ranges)
    return next(fitting, 0.0)
