"""The targets of the container, each with the measured value."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serving_benchmark.comparison import FLASK, MMS, OURS, PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Sides = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Target:
    """One target; ``met`` is ``None`` if one of the servers was not measured."""

    what: str
    measured: str
    required: str
    met: bool | None


def targets(result: dict[str, Any]) -> Iterator[Target]:
    """Every target of the models that were measured."""
    for name, model in result["models"].items():
        sides = model["servers"]
        if name == "forest":
            yield from _ratio(f"{name}, requests/s", OURS, sides, 16, 100)
        else:
            yield from _ratio(f"{name}, plain predict, requests/s", PLAIN, sides, 64, 25)
        yield from _tails(name, sides)
        yield from _large(name, model["large_body"])
        yield from _below(f"{name}, memory", "MB", {side: sides[side]["pss_megabytes"] for side in _compared(sides)})
        for kind in ("answer", "ping"):
            seconds = {side: _median([start[kind] for start in sides[side]["starts"]]) for side in _compared(sides)}
            what = "healthy: /ping is 200 and an invocation succeeds" if kind == "answer" else "first 200 from /ping"
            yield from _below(f"{name}, {what}", "s", seconds)
        yield _answers(name, model["answers"])
        lost = sum(drained["unanswered"] for drained in sides[OURS]["drain"].values())
        yield Target(f"{name}, SIGTERM under load, 16 clients", f"{lost:.0f} unanswered", "0", lost == 0)


def ratios(sides: Sides, side: str, baseline: str, connections: int) -> list[float]:
    """Requests per second divided by those of the baseline, round by round: both ran in the same minute."""
    pairs = zip(*(sides[name]["loads"][connections]["rounds"] for name in (side, baseline)), strict=True)
    return [round(ours["per_second"] / theirs["per_second"], 2) for ours, theirs in pairs]


def _compared(sides: Sides) -> list[str]:
    return [side for side in (OURS, FLASK, MMS) if side in sides]


def _ratio(what: str, side: str, sides: Sides, connections: int, required: float) -> Iterator[Target]:
    if connections in sides[side]["loads"]:
        found = ratios(sides, side, FLASK, connections)
        measured = f"{_median(found):.1f}x {FLASK} (rounds: {_listed(found)})"
        yield Target(f"{what}, {connections} connections", measured, f">= {required:g}x", _median(found) >= required)


def _tails(name: str, sides: Sides) -> Iterator[Target]:
    for connections, found in sides[OURS]["loads"].items():
        theirs = {side: sides[side]["loads"][connections]["p99_ms"] for side in _compared(sides) if side != OURS}
        measured = f"{found['p99_ms']:.1f} ms, " + _named(theirs, "ms")
        met = found["p99_ms"] < min(theirs.values()) if len(theirs) == 2 else None
        yield Target(f"{name}, p99, {connections} connections", measured, "below both", met)


def _large(name: str, large: dict[str, Any]) -> Iterator[Target]:
    parse, request = large["parse_to_pandas"], large["request_to_parse_and_predict"]
    yield Target(
        f"{name}, 5 MB of CSV, rows/s parsed",
        f"{_median(parse):.2f}x pandas (rounds: {_listed(parse)})",
        ">= 0.8x",
        _median(parse) >= 0.8,
    )
    yield Target(
        f"{name}, 5 MB of CSV, whole request",
        f"{_median(request):.2f}x parsing and predicting alone (rounds: {_listed(request)})",
        "<= 2x",
        _median(request) <= 2,
    )


def _below(what: str, unit: str, found: dict[str, float]) -> Iterator[Target]:
    theirs = {side: value for side, value in found.items() if side != OURS}
    met = found[OURS] < min(theirs.values()) if len(theirs) == 2 else None
    yield Target(what, f"{found[OURS]:g} {unit}, " + _named(theirs, unit), "below both", met)


def _answers(name: str, answers: dict[str, Any]) -> Target:
    differ, tolerance = answers["probabilities_differ_by"], answers["tolerance"]
    return Target(
        f"{name}, {answers['rows']} random records compared with scikit-learn's predict",
        f"{answers['different']} labels differ, probabilities by at most {differ:.1e}",
        f"0, and {tolerance:g}",
        answers["different"] == 0 and differ <= tolerance,
    )


def _named(found: dict[str, float], unit: str) -> str:
    return ", ".join(f"{side} {value:g} {unit}" for side, value in found.items())


def _listed(found: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in found)


def _median(found: Sequence[float]) -> float:
    return round(statistics.median(found), 2)
