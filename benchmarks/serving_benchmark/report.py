"""The numbers as a page of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BASELINE = "gunicorn+Flask"


def lines(result: dict[str, Any]) -> Iterator[str]:
    """A table a model; every ratio is to gunicorn+Flask at the same connections."""
    for name, model in result["models"].items():
        yield f"\n{name}: requests/s (ratio), p99 in ms"
        yield from _loads(model["servers"])
        for side, measured in model["servers"].items():
            ping, answer = measured["seconds_to_ping"], measured["seconds_to_answer"]
            yield f"  {side}: {measured['pss_megabytes']} MB, first ping after {ping} s, first answer after {answer} s"
            for kind, drained in measured.get("drain", {}).items():
                lost, seconds = drained["unanswered"], drained["exit_seconds"]
                yield f"    SIGTERM, {kind}: {lost:.0f} unanswered, ended in {seconds} s"
        for side, reason in model["skipped"].items():
            yield f"  {side} is left out: {reason}"
        large = model["large_body"]
        yield f"  5 MB of CSV, {large['rows']} rows: reading {large['parse_to_pandas']}x pandas, "
        yield f"    a request takes {large['request_to_parse_and_predict']}x of reading and predicting alone"


def _loads(servers: dict[str, Any]) -> Iterator[str]:
    for side, measured in servers.items():
        cells = []
        for connections, found in measured["loads"].items():
            baseline = servers[BASELINE]["loads"][connections]["per_second"]
            failed = f" {found['failed']:.0f} FAILED" if found["failed"] else ""
            cells.append(
                f"c={connections}: {found['per_second']:.0f} ({found['per_second'] / baseline:.1f}x)"
                f" p99 {found['p99_ms']:.1f}{failed}"
            )
        yield f"  {side:24} " + "   ".join(cells)
    if "constant" in servers:
        for connections, found in servers["ours"]["loads"].items():
            share = found["per_second"] / servers["constant"]["loads"][connections]["per_second"]
            yield f"  ours / constant at c={connections}: {share:.2f}"
