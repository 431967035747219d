"""One look at the test that runs: what is new is counted and judged, and the report is stored."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.ab_plan import Plan
from handler_kit.ab_record import RUNNING, STARTING
from handler_kit.ab_store import Store
from handler_kit.errors import StepError
from handler_kit.objects import LostRaceError
from handler_kit.outcomes import Outcomes
from judge_ab_test.bins import ACCURACY, OF_OUTCOMES
from judge_ab_test.books import Books
from judge_ab_test.capture import Capture
from judge_ab_test.counting import Counting
from judge_ab_test.decision import ABORT
from judge_ab_test.facts import Facts
from judge_ab_test.hand_edit import read_record
from judge_ab_test.joining import Joining
from judge_ab_test.minutes import LATENCY, OF_CLOUDWATCH, Metrics
from judge_ab_test.report import written
from judge_ab_test.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from handler_kit.ab_record import Record, Test
    from judge_ab_test.books import Ledger
    from judge_ab_test.settings import Settings

_BROKEN = "Restore the last good version of the record, or abort the test."


@dataclass(frozen=True)
class Aws:
    """The clients.

    Attributes:
        s3: Of S3.
        sagemaker: Of SageMaker.
        cloudwatch: Of CloudWatch.
        functions: Of Lambda.
    """

    s3: Any
    sagemaker: Any
    cloudwatch: Any
    functions: Any


def look_at_test(settings: Settings, aws: Aws, *, now: float, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Look at the test that runs, and return the report: for a test that has ended the last one.

    If another look is faster, this one changes nothing and returns the other's report.

    Raises StepError when the plan, or what is stored, is not that of the test.
    """
    store = Store(aws.s3, settings.artifact_bucket, settings.pipeline)
    record, difference = read_record(store, aws.sagemaker, settings.endpoint)
    test = record.test
    if test is None:
        return _no_report("no test runs")
    books = Books(aws.s3, settings.artifact_bucket, f"ab/{settings.pipeline}/tests/{test.id}/")
    if test.state == STARTING:
        return _no_report(f"The test {test.id} has not begun: its challenger is being released.")
    if test.state != RUNNING:
        return books.report() or _no_report(f"The test {test.id} has ended before the first look: {test.why}")
    plan = plan_of(test)
    ledger, etag = books.read(test, plan.maturity_window_in_seconds)
    if difference is not None and test.segments:
        ledger.note(now, test.segments[-1].since, differs=bool(difference))
    ledger.report = _Look(settings, aws, record, test, plan, ledger).report(difference or "", now, seconds_left)
    try:
        books.write(test, ledger, etag)
    except LostRaceError:
        logs.info("another look was faster", test=test.id)
        return books.read(test, plan.maturity_window_in_seconds)[0].report or ledger.report
    books.publish(ledger.report)
    logs.info("test judged", test=test.id, action=ledger.report["action"], sentence=ledger.report["sentence"])
    if ledger.report["action"] == ABORT and test.plan.get("guard") and settings.abort_function is not None:
        # Again at each look, until the record says that the test has ended.
        aws.functions.invoke(FunctionName=settings.abort_function, InvocationType="Event")
    return ledger.report


def plan_of(test: Test) -> Plan:
    """Return the plan of a test. Raises StepError if it is not the one that its digest was made of, or none."""
    text = json.dumps(test.plan, sort_keys=True, separators=(",", ":"))
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != test.plan_sha256:
        raise StepError(
            f"The plan of the test {test.id} has the digest {found}, and was begun with {test.plan_sha256}: somebody"
            " has changed it, so nothing is judged. Restore the last good version of the record, or abort the test."
        )
    try:
        plan = Plan.from_json(test.plan["statistics"])
        known = {metric.name: test.plan["sources"][metric.name]["measures"] for metric in plan.metrics}
    except (KeyError, TypeError, ValueError) as error:
        raise StepError(
            f"The plan {test.plan_sha256} of the test {test.id} cannot be used: {error}. {_BROKEN}"
        ) from error
    if unknown := sorted(set(known.values()) - {*OF_OUTCOMES, *OF_CLOUDWATCH}):
        raise StepError(
            f"The plan {test.plan_sha256} of the test {test.id} measures what is not known: {', '.join(unknown)}."
            f" {_BROKEN}"
        )
    return plan


@dataclass(frozen=True)
class _Look:
    """What one look is made of."""

    settings: Settings
    aws: Aws
    record: Record
    test: Test
    plan: Plan
    ledger: Ledger

    def report(self, difference: str, now: float, seconds_left: Callable[[], float]) -> dict[str, Any]:
        """Count and judge what is new."""
        counting = self._counting()
        judged = counting.count(now, seconds_left)
        facts = Facts(now, self.test, self.plan, self.ledger, judged, difference)
        if counting.measured(OF_OUTCOMES):
            outcomes = counting.joining.outcomes
            facts = replace(
                facts,
                waiting=counting.pending(now),
                behind=self.ledger.requests_until < now - counting.joining.maturity,
                last_outcome=outcomes.last(),
                outcomes_uri=outcomes.uri,
            )
        return written(facts)

    def _counting(self) -> Counting:
        champion, challenger, test, plan = self.record.champion, self.record.challenger, self.test, self.plan
        if champion is None or challenger is None:
            raise StepError(f"The test {test.id} runs, and its record has no champion or no challenger. {_BROKEN}")
        s3, bucket, pipeline = self.aws.s3, self.settings.artifact_bucket, self.settings.pipeline
        sources = test.plan["sources"]
        capture = Capture(
            s3,
            bucket,
            f"capture/{pipeline}/production/{self.settings.endpoint}",
            {champion.slot: False, challenger.slot: True},
            plan.maturity_window_in_seconds,
            responses=any(source["measures"] == ACCURACY for source in sources.values()),
        )
        joining = Joining(
            capture,
            Outcomes(s3, bucket, f"ground-truth/{pipeline}/", test.started),
            Timeline(test.segments, plan.settling_in_seconds, tuple(self.ledger.unknown)),
            plan.maturity_window_in_seconds,
            test.plan.get("sticky_horizon_in_seconds"),
            self.ledger.seen,
            self.ledger.counts,
        )
        limits = {source["max_latency_ms"] for source in sources.values() if source["measures"] == LATENCY}
        variants = champion.slot, challenger.slot
        metrics = Metrics(self.aws.cloudwatch, self.settings.endpoint, variants, sorted(limits))
        return Counting(test.id, plan, sources, self.ledger, joining, metrics)


def _no_report(sentence: str) -> dict[str, Any]:
    return {"test": None, "sentence": sentence}
