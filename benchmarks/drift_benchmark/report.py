"""The tables of the benchmark, as plain lines and as numbers, and its targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ab_benchmark.limits import upper_limit

from drift_benchmark.simulation import ALARM, EVIDENCE, KS, LEVEL, METHODS, PSI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drift_benchmark.simulation import Found
    from drift_benchmark.streams import Kind, Shift

TITLES = {EVIDENCE: "evidence", ALARM: "alarm", PSI: "PSI > 0.2", KS: "KS, p < 0.05"}
VERDICTS = {True: "met", False: "missed", None: "open"}
# The records of an hour for which a function with 1 GB of memory is planned, and the part of a processor that it has.
HOUR_RECORDS, LAMBDA_PROCESSORS = 200_000, 1_024 / 1_769


def numbers_of_kind(kind: Kind, found: list[Found]) -> dict[str, Any]:
    """Return how often each method found drift in streams without it."""
    row: dict[str, Any] = {"name": kind.name, "rows": kind.rows, "records": kind.records, "runs": len(found)}
    row["holds"] = kind.holds
    for name in METHODS:
        count = sum(one.first[name] is not None for one in found)
        row[name] = {"share": count / len(found), "upper": upper_limit(count, len(found))}
        # The lower limit is the upper limit of the opposite.
        row[name]["lower"] = 1.0 - upper_limit(len(found) - count, len(found))
    return row


def numbers_of_shift(shift: Shift, quiet: int, found: list[Found]) -> dict[str, Any]:
    """Return how often and how soon each method found a change, and how often something else before it."""
    row: dict[str, Any] = {"name": shift.name, "quiet": quiet, "runs": len(found)}
    row["required"] = shift.within_late if quiet else shift.within
    for name in METHODS:
        firsts = [one.first[name] for one in found]
        late = sorted(first for first in firsts if first is not None and first > 0)
        row[name] = {
            "share": len(late) / len(found),
            "early": sum(first is not None and first <= 0 for first in firsts) / len(found),
            "median": late[len(found) // 2] if len(late) > len(found) // 2 else None,
        }
    return row


def lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield the tables and the targets."""
    runs = document["runs"]
    yield f"Streams without drift in which drift is found, % (in brackets: 95 % upper limit); {runs:,} streams each"
    yield _line("", [TITLES[name] for name in METHODS])
    for row in document["kinds"]:
        yield _line(
            row["name"], [f"{100 * row[name]['share']:.1f} ({100 * row[name]['upper']:.1f})" for name in METHODS]
        )
    for late in (False, True):
        rows = [row for row in document["shifts"] if bool(row["quiet"]) == late]
        when = f"after {rows[0]['quiet']:,} records without a change" if late else "from the first record"
        yield ""
        yield f"Change {when}: streams in which it is found, % (in brackets: median records until then);"
        yield f"before it was there, found in % (after the slash); {rows[0]['runs']:,} streams each"
        yield _line("", [TITLES[name] for name in METHODS])
        for row in rows:
            yield _line(row["name"], [_cell(row[name], late) for name in METHODS])
    speed = document["seconds_per_1000_records"]
    yield ""
    yield f"Processor time for 1,000 records of {speed['features']} features:"
    for name in ("numbers", "texts"):
        hour = speed[name] * HOUR_RECORDS / 1_000.0
        yield (
            f"  {name}: {1_000 * speed[name]:.0f} ms; {hour:.1f} s for {HOUR_RECORDS:,} records,"
            f" {hour / LAMBDA_PROCESSORS:.0f} s on the {LAMBDA_PROCESSORS:.2f} processors of a function with 1 GB"
        )
    yield ""
    yield "Targets"
    for target in targets(document):
        yield f"  {VERDICTS[target['met']]:8}{target['what']}: {target['measured']}; required: {target['required']}"


def _line(name: str, cells: list[str]) -> str:
    return f"  {name:27}" + "".join(f"{cell:>22}" for cell in cells)


def _cell(found: dict[str, Any], late: bool) -> str:
    median = "-" if found["median"] is None else format(found["median"], ",")
    early = f" / {100 * found['early']:.0f}" if late else ""
    return f"{100 * found['share']:.0f} ({median}){early}"


def targets(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is required, and whether it is met; None if that takes more streams."""
    promised = [row for row in document["kinds"] if row["holds"]]
    worst = max(promised, key=lambda row: row[EVIDENCE]["upper"])
    least = max(row[EVIDENCE]["lower"] for row in promised)
    yield {
        "what": f"upper limit of false alarms over the whole stream, in the worst kind ({worst['name']})",
        "measured": f"{100 * worst[EVIDENCE]['upper']:.1f} %",
        "required": f"at most {100 * LEVEL:.0f} %",
        "met": worst[EVIDENCE]["upper"] <= LEVEL or (False if least > LEVEL else None),
    }
    rival = document["kinds"][0][KS]
    yield {
        "what": f"the usual test at each window is above its level ({document['kinds'][0]['name']}), lower limit",
        "measured": f"{100 * rival['lower']:.1f} %",
        "required": f"above {100 * LEVEL:.0f} %",
        "met": rival["lower"] > LEVEL or (False if rival["upper"] <= LEVEL else None),
    }
    for row in document["shifts"]:
        median = row[EVIDENCE]["median"]
        yield {
            "what": f"median records until {row['name']} is found, after {row['quiet']:,} quiet records",
            "measured": "not found" if median is None else f"{median:,}",
            "required": f"at most {row['required']:,}",
            "met": median is not None and median <= row["required"],
        }
