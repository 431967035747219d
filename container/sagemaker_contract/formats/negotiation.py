"""Which media type a request has, and which one its answer gets."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.formats.media_types import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterable


def content_type(header: str | None, known: Iterable[str]) -> str:
    """The media type of a body; its parameters are left out.

    Raises:
        RequestError: 415, when there is none or it is not among ``known``.
    """
    name = _name(header or "")
    if not name:
        raise RequestError(415, f"the request has no Content-Type; send one of {', '.join(known)}")
    if name not in known:
        raise RequestError(415, f"cannot read {name}; send one of {', '.join(known)}")
    return name


def charset(header: str | None) -> str | None:
    """The charset parameter of a Content-Type, by its Python name; ``None`` is UTF-8, said or not.

    Raises:
        RequestError: 415, for a charset nobody knows.
    """
    given = _parameter(header or "", "charset")
    if given is None:
        return None
    name = given.strip("\"'")
    try:
        codec = codecs.lookup(name)
        # Codecs such as base64 are no charset, and a null byte is no name.
        "".encode(codec.name)
    except (LookupError, ValueError):
        raise RequestError(415, f"cannot read charset {name!r}; send UTF-8") from None
    # ASCII is UTF-8 already.
    return None if codec.name in ("utf-8", "utf-8-sig", "ascii") else codec.name


def to_utf8(body: bytes, charset_name: str) -> bytes:
    """The body in UTF-8.

    Raises:
        InputError: When the body is not in that charset.
    """
    try:
        return body.decode(charset_name).encode()
    except UnicodeError:
        raise InputError(f"the body is not {charset_name} text") from None


def answer_type(header: str | None, known: Iterable[str], preferred: str) -> str:
    """The media type for the answer, by the Accept header's q-values; ``preferred`` breaks ties.

    Raises:
        RequestError: 406, when nothing in ``known`` is acceptable.
    """
    if not header or header.isspace():
        return preferred
    ranges = dict(_range(part) for part in header.split(",") if part.strip())
    quality = {name: _quality(name, ranges) for name in known}
    best = max(quality, key=lambda name: (quality[name], name == preferred))
    if quality[best] <= 0:
        raise RequestError(406, f"cannot answer as {header.strip()}; accept one of {', '.join(known)}")
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
    """A media range and its q-value; one that is no number counts as not given."""
    try:
        return _name(part), float(_parameter(part, "q") or "1")
    except ValueError:
        return _name(part), 1.0


def _quality(name: str, ranges: dict[str, float]) -> float:
    """The most exact range that fits ``name`` decides."""
    main_type = name.split("/", 1)[0]
    fitting = (ranges[fit] for fit in (name, f"{main_type}/*", "*/*") if fit in ranges)
    return next(fitting, 0.0)
