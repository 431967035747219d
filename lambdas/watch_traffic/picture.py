"""The shares of the bins of features, expected and seen, as SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from watch_traffic.finding import bin_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watch_traffic.baseline import Feature
    from watch_traffic.finding import Finding

_WIDTH, _LEFT, _BAR, _GAP, _HEAD, _VALUES = 760, 240, 9, 8, 62, 70
_EXPECTED, _SEEN = "#9aa5b1", "#d64545"
_MAX_NAME = 34


def picture(features: Sequence[tuple[Feature, Finding]]) -> str:
    """Return a picture of one or several features, one below the other."""
    parts: list[str] = []
    top = 0
    for feature, finding in features:
        top = _draw(parts, top, feature, finding)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}"'
        f' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _draw(parts: list[str], top: int, feature: Feature, finding: Finding) -> int:
    """Draw a feature below ``top``; return where it ends."""
    rows, records = sum(feature.counts), sum(finding.counts)
    pairs = [
        (bin_name(feature, place), before / rows, seen / records if records else 0.0)
        for place, (before, seen) in enumerate(zip(feature.counts, finding.counts, strict=True))
        if before or seen
    ]
    largest = max(max(before, seen) for _, before, seen in pairs)
    scale = (_WIDTH - _LEFT - _VALUES) / largest
    parts.append(_text(12, top + 22, _cut(finding.sentence(), 118), weight="bold"))
    parts.append(_text(12, top + 42, f"expected ({rows:,} rows)", fill=_EXPECTED))
    parts.append(_text(_LEFT, top + 42, f"seen ({records:,} records)", fill=_SEEN))
    y = top + _HEAD
    for name, before, seen in pairs:
        parts.append(_text(_LEFT - 8, y + _BAR + 4, _cut(name, _MAX_NAME), anchor="end"))
        for share, colour, offset in ((before, _EXPECTED, 0), (seen, _SEEN, _BAR)):
            width = share * scale
            parts.append(
                f'<rect x="{_LEFT}" y="{y + offset}" width="{width:.1f}" height="{_BAR - 1}" fill="{colour}"/>'
            )
            parts.append(_text(round(_LEFT + width + 6), y + offset + _BAR - 1, f"{100 * share:.1f} %", size=9))
        y += 2 * _BAR + _GAP
    return y + _GAP


def _text(
    x: int, y: int, text: str, *, fill: str = "#243b53", anchor: str = "start", weight: str = "normal", size: int = 12
) -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{fill}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}">'
        f"{escape(_printable(text))}</text>"
    )


def _printable(text: str) -> str:
    """XML has no control characters, and no half of a surrogate pair."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _cut(text: str, maximum: int) -> str:
    return text if len(text) <= maximum else f"{text[: maximum - 1]}…"
