"""Everything about the A/B test of a pipeline at one time."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .ab_checks import disagreements, hold_of, wrong_weights
from .ab_report import newest_report
from .ab_traffic import traffic_of
from .releases import Releases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .ab_endpoint import Observed
    from .ab_record import Deployed, Record, Test
    from .ab_report import Report
    from .ab_test import ABTests
    from .ab_traffic import Traffic

_HISTORY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A champion or a challenger.

    Attributes:
        slot: Its production variant.
        package: Its model package.
        release: Number of its release; None where it has no record.
        since: When it got its role, in seconds since 1970.
        why: Why.
    """

    slot: str
    package: str
    release: int | None
    since: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ABStatus:
    """The state of the A/B test.

    Attributes:
        pipeline: The pipeline.
        endpoint: Its endpoint.
        endpoint_status: EndpointStatus; empty when there is no endpoint.
        champion: The champion.
        challenger: What the other slot serves, if it serves anything.
        test: The test without its plan's details; None where there was none.
        weights: By variant, the shares of the traffic: ``asked`` is what the record says, ``observed`` the endpoint.
        traffic: By variant, requests, errors and latency since the test began.
        report: The report of the test, or None.
        report_age_seconds: Its age; 0 for one that was made now.
        report_why_not_fresh: Why it was not made now.
        report_is_of_the_end: Whether the test has ended: the report is what was said then, and asks for nothing.
        changing: Who changes the endpoint now, as a sentence.
        disagreements: Where record, stack and endpoint do not agree, and what was broken off, as sentences.
        unknown: What could not be looked up, as sentences.
        history: The newest ended tests.
    """

    pipeline: str
    endpoint: str
    endpoint_status: str
    champion: Role
    challenger: Role | None
    test: Mapping[str, Any] | None
    weights: Mapping[str, Mapping[str, float]]
    traffic: Mapping[str, Traffic]
    report: Mapping[str, Any] | None
    report_age_seconds: float
    report_why_not_fresh: str
    report_is_of_the_end: bool
    changing: str
    disagreements: Sequence[str]
    unknown: Sequence[str]
    history: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def status_of(tests: ABTests) -> ABStatus:
    """Look everything up; what cannot be looked up is named. Raises MlopsError when there is no champion."""
    record, champion = tests.record()
    pipeline, unknown = tests.pipeline, list[str]()
    hold = hold_of(pipeline, record, time.time())
    changing, wrong = "", list[str]()
    if hold is not None:
        changing, wrong = (hold.sentence, wrong) if hold.live else ("", [hold.sentence])
    seen, test = None, record.test
    try:
        seen = tests.endpoint().observe()
    except MlopsError as error:
        unknown.append(str(error))
    else:
        # While somebody changes it, it is not as the record says.
        if not changing:
            wrong += [*disagreements(record, seen), *wrong_weights(record, seen)]
        if not changing and seen.busy():
            changing = seen.busy()
    report = None if test is None else _report(tests, test, unknown)
    roles = _roles(tests, champion, record.challenger)
    return ABStatus(
        pipeline=pipeline.name,
        endpoint="" if seen is None else seen.endpoint,
        endpoint_status="" if seen is None else seen.status,
        champion=roles[0],
        challenger=roles[1] if len(roles) > 1 else None,
        test=None if test is None else _test(record, test),
        weights={"asked": record.weights, "observed": {} if seen is None else seen.shares},
        traffic={} if seen is None or test is None else _traffic(tests, seen, test, unknown),
        report=None if report is None else report.content,
        report_age_seconds=0.0 if report is None else report.age_seconds,
        report_why_not_fresh="" if report is None else report.why_not_fresh,
        report_is_of_the_end=report is not None and report.content is not None and record.running is None,
        changing=changing,
        disagreements=wrong,
        unknown=unknown,
        history=record.history[:_HISTORY],
    )


def _roles(tests: ABTests, champion: Deployed, challenger: Deployed | None) -> list[Role]:
    models = [champion] if challenger is None else [champion, challenger]
    numbers = Releases(tests.pipeline).numbers_of(*(one.execution_id for one in models))
    return [
        Role(slot=one.slot, package=one.model_package_arn, release=number, since=one.since, why=one.why)
        for one, number in zip(models, numbers, strict=True)
    ]


def _test(record: Record, test: Test) -> dict[str, Any]:
    statistics = test.plan.get("statistics", {})
    return {
        "id": test.id,
        "state": test.state,
        "started": test.started,
        "ended": test.ended,
        "why": test.why,
        "share": record.share,
        "sticky": test.plan.get("sticky_horizon_in_seconds") is not None,
        "guard": bool(test.plan.get("guard")),
        "level": statistics.get("level"),
        "maximum_days": statistics.get("maximum_days"),
        "plan_sha256": test.plan_sha256,
        "segments": [asdict(segment) for segment in test.segments],
    }


def _report(tests: ABTests, test: Test, unknown: list[str]) -> Report | None:
    try:
        return newest_report(tests.pipeline, test)
    except MlopsError as error:
        unknown.append(str(error))
        return None


def _traffic(tests: ABTests, seen: Observed, test: Test, unknown: list[str]) -> dict[str, Traffic]:
    until = time.time() if test.ended is None else test.ended
    try:
        return traffic_of(tests.pipeline.client, seen.endpoint, sorted(seen.variants), test.started, until)
    except MlopsError as error:
        unknown.append(str(error))
        return {}
