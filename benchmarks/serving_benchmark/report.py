"""The numbers as text."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from serving_benchmark.comparison import CONSTANT, FLASK, OURS, PLAIN
from serving_benchmark.targets import ratios, targets

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERDICTS = {True: "met", False: "MISSED", None: "not measured"}


def lines(result: dict[str, Any]) -> Iterator[str]:
    """One table per model, then each target with the measured value."""
    for name, model in result["models"].items():
        yield f"\n{name}: requests/s (median of the rounds' ratios to {FLASK}), p99 in ms"
        yield from _loads(model["servers"])
        yield from _sides(model["servers"])
        for side, reason in model["skipped"].items():
            yield f"  {side} is left out: {reason}"
    yield "\ntargets"
    for target in targets(result):
        yield f"  {_VERDICTS[target.met]:7} {target.what}: {target.measured}; required: {target.required}"


def _loads(servers: dict[str, Any]) -> Iterator[str]:
    for side, measured in servers.items():
        cells = []
        for connections, found in measured["loads"].items():
            ratio = statistics.median(ratios(servers, side, FLASK, connections))
            failures = sum(one["failed"] for one in found["rounds"])
            failed = f" {failures:.0f} FAILED" if failures else ""
            cells.append(f"c={connections}: {found['per_second']:.0f} ({ratio:.1f}x) p99 {found['p99_ms']:.1f}{failed}")
        yield f"  {side:24} " + "   ".join(cells)
    for side in (OURS, PLAIN):
        shares = {count: ratios(servers, side, CONSTANT, count) for count in servers[side]["loads"]}
        text = ", ".join(
            f"{statistics.median(found):.2f} at c={count} (rounds: {' '.join(map(str, found))})"
            for count, found in shares.items()
        )
        yield f"  {side} / the same server with a constant response: {text}"


def _sides(servers: dict[str, Any]) -> Iterator[str]:
    for side, measured in servers.items():
        if "starts" not in measured:
            continue
        starts = ", ".join(f"{start['ping']}/{start['answer']}" for start in measured["starts"])
        yield f"  {side}: {measured['pss_megabytes']} MB; seconds to first ping/first response: {starts}"
        for kind, drained in measured["drain"].items():
            lost, answered, seconds = drained["unanswered"], drained["answered"], drained["exit_seconds"]
            yield f"    SIGTERM, {kind}: {lost:.0f} without a response, {answered:.0f} with one, ended in {seconds} s"
