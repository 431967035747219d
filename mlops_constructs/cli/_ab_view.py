"""The state of an A/B test for people: the same lines in a terminal, with colours, and in a pipe."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..deployed.ab_checks import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..deployed.ab_status import ABStatus, Role

# A label, its text and its style.
_Line = tuple[str, str, str]
_WIDTH = 13
_STYLES = {"better": "green", "worse": "red"}


@contextmanager
def waiting(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Return the function to call with a sentence on what is waited for; it goes to standard error.

    Elsewhere than in a terminal, each sentence is written once.
    """
    told = set[str]()

    def tell(text: str) -> None:
        if not quiet and text not in told:
            told.add(text)
            print(text, file=sys.stderr, flush=True)

    if quiet or not sys.stderr.isatty():
        yield tell
        return
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        yield tell
        return
    status = Console(stderr=True).status("")
    try:

        def show(text: str) -> None:
            status.update(text)
            status.start()

        yield show
    finally:
        status.stop()


def show(status: ABStatus) -> None:
    """Print the state."""
    lines = list(_lines(status))
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.text import Text
        except ModuleNotFoundError:
            pass
        else:
            console = Console()
            for label, text, style in lines:
                start = f"  {label:<{_WIDTH}}" if label else ""
                console.print(Text.assemble((start, "bold"), (text, style)), soft_wrap=True)
            return
    for label, text, _ in lines:
        print(f"  {label:<{_WIDTH}}{text}" if label else text)


def _lines(status: ABStatus) -> Iterator[_Line]:
    yield "", f"{status.pipeline}: {_headline(status)}", "bold"
    if status.endpoint:
        yield "endpoint", f"{status.endpoint} {status.endpoint_status}", ""
    yield "champion", _role(status.champion), ""
    if status.challenger is not None:
        yield "challenger", _role(status.challenger), ""
    yield from _traffic(status)
    if status.report is not None:
        yield from _report(status.report, of_the_end=status.report_is_of_the_end)
    if status.report_why_not_fresh:
        told = "there is no report" if status.report is None else f"{_age(status.report_age_seconds)} old"
        yield "report", f"{told}: {status.report_why_not_fresh}", "yellow"
    if status.changing:
        yield "changing", status.changing, "yellow"
    yield from (("disagreement", one, "red") for one in status.disagreements)
    yield from (("unknown", one, "yellow") for one in status.unknown)
    for one in status.history:
        ended = at(one["ended"]) if one.get("ended") else "an unknown time"
        yield "ended test", f"{one.get('state')} at {ended}: {one.get('why') or one.get('id')}", "dim"


def _traffic(status: ABStatus) -> Iterator[_Line]:
    for variant, asked in status.weights["asked"].items():
        observed = status.weights["observed"].get(variant)
        found = "not observed" if observed is None else f"{_percent(observed)} observed"
        yield "weight", f"{variant}: {_percent(asked)} asked, {found}", ""
    for variant, traffic in status.traffic.items():
        latency = ", ".join(f"{name} {value:.1f} ms" for name, value in traffic.latency_ms.items())
        errors = f"{traffic.errors_4xx:,} 4XX, {traffic.errors_5xx:,} 5XX"
        yield "traffic", f"{variant}: {traffic.requests:,} requests, {errors}{f', {latency}' if latency else ''}", ""
    if status.test is not None:
        for segment in status.test["segments"]:
            until = "now" if segment["until"] is None else at(segment["until"])
            yield "segment", f"{_percent(segment['share'])} from {at(segment['since'])} to {until}", ""


def _headline(status: ABStatus) -> str:
    test = status.test
    if test is None:
        return "no A/B test yet; the next release begins one"
    if test["state"] == "running":
        limit = f", at most {test['maximum_days']:g} days" if test["maximum_days"] else ""
        return f"an A/B test has been running since {at(test['started'])}{limit}"
    if test["state"] == "starting":
        return "an A/B test is starting"
    return f"no A/B test runs; the last one was {test['state']}: {test['why']}"


def _role(role: Role) -> str:
    number = "no release record" if role.release is None else f"release {role.release}"
    return f"{role.slot}: {number}, {role.package}, since {at(role.since)} ({role.why})"


def _report(report: Mapping[str, Any], *, of_the_end: bool) -> Iterator[_Line]:
    metric = report.get("metric") or {}
    if metric:
        interval = f" ({_signed(metric.get('low'))} to {_signed(metric.get('high'))})"
        yield "metric", f"{_compared(metric)}, difference {_signed(metric.get('difference'))}{interval}", ""
    for guardrail in report.get("guardrails") or []:
        shown = "shown to be no worse" if guardrail.get("not_worse") else "not yet shown to be no worse"
        text = "shown to be worse" if guardrail.get("harm") else shown
        tolerance = f"tolerance {_number(guardrail.get('tolerance'))}"
        yield "guardrail", f"{_compared(guardrail)}, {tolerance}: {text}", "red" if guardrail.get("harm") else ""
    counted = {name: count for name, count in (report.get("outcomes") or {}).items() if count}
    if counted:
        yield "outcomes", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counted.items()), ""
    if report.get("mismatches"):
        yield "mismatch", ", ".join(report["mismatches"]), "red"
    if report.get("unreported"):
        yield "unreported", ", ".join(report["unreported"]), "red"
    verdict = str(report.get("verdict"))
    if of_the_end:
        yield "verdict", f"{verdict}, when the test ended", _STYLES.get(verdict, "")
        yield "", f"  The last look said then: {report.get('sentence')}", "dim"
        return
    yield "verdict", f"{verdict}, so: {report.get('action')}", _STYLES.get(verdict, "")
    yield "", f"  {report.get('sentence')}", "bold"
    forecast = (report.get("forecast") or {}).get("sentence")
    if forecast:
        yield "forecast", str(forecast), ""


def _compared(metric: Mapping[str, Any]) -> str:
    counts = metric.get("outcomes") or {}
    of = {role: f" of {counts[role]:,}" if role in counts else "" for role in ("champion", "challenger")}
    values = ", ".join(f"{role} {_number(metric.get(role))}{of[role]}" for role in ("champion", "challenger"))
    return f"{metric.get('name')}: {values}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"


def _signed(value: float | None) -> str:
    return "?" if value is None else f"{value:+.4g}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:.0f} seconds"
