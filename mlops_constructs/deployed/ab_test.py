"""The verbs of an A/B test: shift, ramp, promote and abort.

Each one reads the record, checks that stack and endpoint are at rest and as the record says, writes what it intends,
makes one call, reads back what has become of it, and writes that down.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import MlopsError
from .ab_changes import Changes
from .ab_endpoint import IN_SERVICE
from .ab_record import SHIFT
from .ab_report import newest_report
from .ab_store import LostRaceError
from .ab_turn import Turn
from .releases import Releases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .ab_endpoint import Endpoint
    from .ab_record import Deployed, Record, Test
    from .ab_report import Report
    from .pipeline import DeployedPipeline


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """What a shift has done.

    Attributes:
        before: The challenger's share before.
        share: Its share now.
        changed: Whether the weights had to be changed.
        instances: Instances that its receiver has got before; None where it had enough.
    """

    before: float
    share: float
    changed: bool = True
    instances: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """What an abort has done.

    Attributes:
        test: ID of the test that it has ended; None when no test ran.
        changed: Whether the weights had to be changed.
        execution: ID of the pipeline execution that has brought or was promoting the challenger, and fails now; None
            where there is none.
    """

    test: str | None
    changed: bool
    execution: str | None = None


class ABTests:
    """The A/B tests of a pipeline, of which one may run."""

    def __init__(
        self,
        pipeline: DeployedPipeline,
        tell: Callable[[str], None] = lambda _: None,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        """Operate the tests of this pipeline.

        Args:
            pipeline: The pipeline.
            tell: Called with a sentence on what is waited for.
            pause: Waits; unless given, it sleeps.

        Raises:
            MlopsError: when the pipeline has no A/B tests.
        """
        if not pipeline.has_ab_tests:
            raise MlopsError(f"{pipeline.name} has no A/B tests: give MLOpsPipeline an ABTest, and deploy it")
        self.pipeline, self._tell, self._pause = pipeline, tell, pause or _sleep
        self._turn = Turn(pipeline, tell, self._pause)

    def record(self) -> tuple[Record, Deployed]:
        """Return the record, and the champion. Raises MlopsError when there is no champion."""
        record, _, champion = self._turn.champion()
        return record, champion

    def endpoint(self) -> Endpoint:
        """Return the production endpoint. Raises MlopsError when it is not deployed."""
        return self._turn.endpoint()

    def report(self, test: Test) -> Report:
        """Return the newest report of a test."""
        return newest_report(self.pipeline, test)

    def shift(self, share: float) -> Shifted:
        """Give the challenger a share of the traffic; raise MlopsError, with nothing changed, if that cannot be now."""
        endpoint, changes = self._endpoint_of_a_test()
        (record, etag, champion, challenger, _), seen = self._turn.at_rest(changes, endpoint)
        weights = {champion.slot: 1.0 - share, challenger.slot: share}
        before = seen.shares[challenger.slot]
        if seen.has(weights) and record.share == share:
            return Shifted(before=before, share=share, changed=False)
        receiver = challenger.slot if share >= before else champion.slot
        count = endpoint.needed(seen, receiver, weights[receiver])
        with changes.begun(record, etag, SHIFT, f"the challenger gets {share:.4g} of the traffic", share) as change:
            if count is not None:
                endpoint.set_instances(receiver, count)
                change.renew()
            changes.set_weights(change, weights)
            change.write(change.record.settled(share, time.time()), change.record.why)
        return Shifted(before=before, share=share, instances=count)

    def ramp(self, target: float, steps: int, every_seconds: float) -> Iterator[Shifted]:
        """Shift in equal steps, with waits between them; look at the report before each step.

        Raises MlopsError when a step cannot be made, or when the report says that the test needs a person.
        """
        start = self._turn.roles().record.share
        for step in range(1, steps + 1):
            report = self.report(self._turn.roles().test)
            if report.content is None:
                raise MlopsError(f"the ramp stops at {self._share()}: there is no report ({report.why_not_fresh})")
            if report.action in ("abort", "investigate"):
                said = f"the report says to {report.action}: {report.sentence}"
                raise MlopsError(f"the ramp stops at {self._share()}, because {said}")
            share = target if step == steps else start + (target - start) * step / steps
            yield self.shift(round(share, 6))
            if step < steps:
                self._pause(every_seconds)

    def promote(self, override: str | None = None) -> tuple[int, str]:
        """Start the execution that makes the challenger the champion; return its release's number, and its id.

        Args:
            override: Why it is promoted although the report does not say so; the record keeps it.

        Raises:
            MlopsError: when the report does not allow it, or something changes the endpoint now.
        """
        endpoint, changes = self._endpoint_of_a_test()
        (record, etag, _, challenger, test), _ = self._turn.at_rest(changes, endpoint)
        releases = Releases(self.pipeline)
        (number,) = releases.numbers_of(challenger.execution_id)
        if number is None:
            raise MlopsError(
                f"the challenger of {self.pipeline.name} has no release record, because its execution"
                f" {challenger.execution_id} did not finish; release it again"
            )
        report = self.report(test)
        if override is None and report.action != "promote":
            said = f"{report.action}: {report.sentence}" if report.action else report.sentence
            raise MlopsError(
                f"the report does not say that the challenger of {self.pipeline.name} is to be promoted ({said});"
                " give --override REASON to promote it nevertheless"
            )
        if override is not None:
            # The approver reads it, and it becomes the reason why the challenger is the champion.
            overridden = replace(record, test=replace(test, why=f"override: {override}"))
            self._turn.store.write(overridden, etag, by=changes.by, why=f"promotion with an override: {override}")
        _, execution_id = releases.deploy_again(number, ab_test="promote")
        return number, execution_id

    def abort(self, reason: str) -> Aborted:
        """End the test, and give the champion all requests at once; wait while a command changes the endpoint.

        A pipeline execution is not waited for: that of the challenger finds an ended test, and fails.

        Raises MlopsError when there is nothing to abort.
        """
        self._turn.champion()
        endpoint = self._turn.endpoint()
        changes = Changes(self._turn.store, endpoint)
        while True:
            record, etag, seen, hold = self._turn.to_abort(endpoint)
            test = record.running
            if test is None:
                if record.challenger is None and len(seen.variants) == 1:
                    raise MlopsError(f"no A/B test of {self.pipeline.name} runs, and no challenger is deployed")
                crashed = record.intent is not None and record.intent.execution_id is None
                if seen.status == IN_SERVICE and seen.has(record.weights) and not crashed:
                    return Aborted(test=None, changed=False)
            try:
                # Only a promotion that has not come to its end is undone.
                keep = hold is not None and (hold.intent.model is not None or test is None)
                changed = changes.abort(record, etag, reason, keep=keep)
            except LostRaceError as error:
                self._tell(f"{error.holder} was faster")
            else:
                execution = None if hold is None or test is None else hold.intent.execution_id
                return Aborted(test=None if test is None else test.id, changed=changed, execution=execution)

    def clean_up(self) -> tuple[int, str] | None:
        """Start the execution that removes the challenger; return the champion's release number, and its id.

        None when the champion's model has no release record: then the next release replaces the challenger.
        """
        _, _, champion = self._turn.champion()
        releases = Releases(self.pipeline)
        (number,) = releases.numbers_of(champion.execution_id)
        if number is None:
            # A rollback whose execution did not come to its end; the release that it deployed again has a record.
            number = releases.number_with(champion.model_package_arn)
        return None if number is None else (number, releases.deploy_again(number, ab_test="abort")[1])

    def _endpoint_of_a_test(self) -> tuple[Endpoint, Changes]:
        self._turn.roles()
        endpoint = self._turn.endpoint()
        return endpoint, Changes(self._turn.store, endpoint)

    def _share(self) -> str:
        return f"{self._turn.roles().record.share:.4g} of the traffic"
