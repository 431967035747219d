"""Which media type a request has, and which one its answer gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagemaker_contract.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable


def content_type(header: str | None, known: Iterable[str]) -> str:
    """The media type of a body; parameters such as the charset are left out.

    Raises:
        RequestError: 415, when there is none or it is not among ``known``.
    """
    name = _name(header or "")
    if not name:
        raise RequestError(415, f"the request has no Content-Type; send one of {', '.join(known)}")
    if name not in known:
        raise RequestError(415, f"cannot read {name}; send one of {', '.join(known)}")
    return name


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
    return media_type.split(";", 1)[0].strip().lower()


def _range(part: str) -> tuple[str, float]:
    """A media range and its q-value; one that is no number counts as not given."""
    for parameter in part.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return _name(part), float(value)
            except ValueError:
                break
    return _name(part), 1.0


def _quality(name: str, ranges: dict[str, float]) -> float:
    """The most exact range that fits ``name`` decides."""
    main_type = name.split("/", 1)[0]
    fitting = (ranges[fit] for fit in (name, f"{main_type}/*", "*/*") if fit in ranges)
    return next(fitting, 0.0)
