"""Starts at most one execution for all alarms together.

The order of the writes keeps the promise when the function ends between any two calls: first the intent to start an
execution, then the execution, then why, then that it was started. Whoever finds an intent first looks for its
execution.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.errors import ConfigurationError, StepError
from handler_kit.objects import LostRaceError
from handler_kit.releases import Releases
from retrain.decision import IN_PROGRESS, find_obstacle, refusal
from retrain.facts import new_datasets, read_executions
from retrain.state import LIFETIME_SECONDS, Intent, Need, Start
from retrain.store import ATTEMPTS, Store
from retrain.telling import tell_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrain.alarm import Alarm
    from retrain.facts import Dataset, Execution
    from retrain.settings import Document, Settings
    from retrain.state import State

NOTHING = "nothing"
# Clocks of AWS's services may differ by so much.
_SKEW_SECONDS = 60.0


@dataclass(frozen=True)
class Services:
    """The clients, and the name of this function, which CodePipeline records as the starter of an execution."""

    s3: Any
    codepipeline: Any
    sns: Any
    function: str


@dataclass(frozen=True)
class Outcome:
    """
    Attributes:
        decision: ``started``, ``answered``, ``nothing`` or the kind of an obstacle.
        reason: The same as a sentence.
        execution_id: The execution, if one was started.
        need: The alarms that it is about, if any.
    """

    decision: str
    reason: str
    execution_id: str | None = None
    need: Need | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record of the decision."""
        about = {} if self.need is None else {"since": _iso(self.need.since), "features": list(self.need.features)}
        alarms = [] if self.need is None else list(self.need.ids)
        return {
            "decision": self.decision,
            "reason": self.reason,
            "execution_id": self.execution_id,
            "alarms": alarms,
            **about,
        }


def retrain(
    alarm: Alarm | None, settings: Settings, document: Document, services: Services, *, clock: Callable[[], float]
) -> dict[str, Any]:
    """Take an alarm, if there is one, and start what has to be started; return the record of the decision."""
    store = Store(services.s3, settings.artifact_bucket, settings.pipeline)
    work = Work(settings, document, services, store, clock)
    refused = None if alarm is None else work.take(alarm)
    outcome = work.look()
    decision = {**outcome.to_json(), **({} if refused is None else {"refused": refused})}
    logs.info("retraining decided", **decision)
    if alarm is not None or outcome.decision != NOTHING:
        store.record("look" if alarm is None else alarm.id, decision, clock())
    return decision


@dataclass(frozen=True)
class Work:
    """One invocation."""

    settings: Settings
    document: Document
    services: Services
    store: Store
    clock: Callable[[], float]

    def take(self, alarm: Alarm) -> str | None:
        """Add an alarm to those that need an execution; return why it needs none, or ``None``."""
        newest = self._releases.newest_number()
        refused = refusal(alarm, newest, self.document)
        if refused is not None:
            return refused

        def change(state: State) -> State:
            need = state.need
            if need is None or need.release < newest:
                need = Need(self.clock(), newest)
            return replace(state, need=need.joined(alarm))

        self.store.change(change)
        return None

    def look(self) -> Outcome:
        """Start an execution if alarms need one and nothing is in the way."""
        for _ in range(ATTEMPTS):
            try:
                return self._look()
            except LostRaceError as error:
                logs.info("another invocation was faster", reason=str(error))
        raise StepError(
            f"Other invocations changed the state of the retraining {ATTEMPTS} times in a row. The next look tries"
            " again."
        )

    def _look(self) -> Outcome:
        state, etag = self.store.read()
        if state.intent is not None:
            return self._resume(state, state.intent, etag)
        need = state.need
        if need is None:
            return Outcome(NOTHING, "No alarm waits for an execution.")
        newest = self._releases.newest_number()
        if newest > need.release:
            self.store.write(replace(state, need=None), etag)
            return Outcome("answered", f"Release {newest} has replaced release {need.release}.", need=need)
        executions = self._executions()
        datasets = self._datasets(executions, newest, state)
        obstacle = find_obstacle(state, executions, datasets, self.document, self.clock())
        if obstacle is not None:
            if obstacle.is_told:
                tell_once(self.services.sns, self.settings, self.store, need, obstacle, self.clock)
            return Outcome(obstacle.kind, obstacle.sentence, need=need)
        return self._reserve(state, need, datasets[-1], etag)

    def _reserve(self, state: State, need: Need, dataset: Dataset, etag: str | None) -> Outcome:
        intent = Intent(dataset.key, dataset.version_id, dataset.uploaded, self.clock(), need)
        self.store.write(replace(state, intent=intent), etag)
        return self._settle(intent, self._start(intent))

    def _resume(self, state: State, intent: Intent, etag: str | None) -> Outcome:
        """Finish what an invocation that ended in between has begun."""
        executions = self._executions()
        found = self._started(intent, executions)
        if found is not None:
            return self._settle(intent, found.id)
        if self.clock() > intent.reserved + LIFETIME_SECONDS:
            # Much may have changed: decide again.
            self.store.write(replace(state, intent=None), etag)
            return self._look()
        other = next((one for one in executions if one.alive or one.version_id == intent.version_id), None)
        if other is not None:
            return Outcome(IN_PROGRESS, f"Execution {other.id} was started meanwhile.", need=intent.need)
        return self._settle(intent, self._start(intent))

    def _started(self, intent: Intent, executions: Sequence[Execution]) -> Execution | None:
        """The execution that was started for an intent.

        In the queue it has no data set yet, so it is known by its starter, "the user ARN":
        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionTrigger.html. A function's ends with
        its name. If it did not, the request token would still prevent a second execution for as long as AWS keeps it,
        and later its data set would not be new.
        """
        since = intent.reserved - _SKEW_SECONDS
        mine = (
            one for one in executions if one.starter.endswith(f"/{self.services.function}") and one.started >= since
        )
        return next(mine, None)

    def _start(self, intent: Intent) -> str:
        revisions = {"S3_OBJECT_KEY": intent.key, "S3_OBJECT_VERSION_ID": intent.version_id}
        answer = self.services.codepipeline.start_pipeline_execution(
            name=self.settings.pipeline,
            sourceRevisions=[
                {"actionName": self.document.action, "revisionType": kind, "revisionValue": value}
                for kind, value in revisions.items()
            ],
            # Two invocations with the same intent start one execution.
            clientRequestToken=token_of(self.settings.pipeline, intent),
        )
        return str(answer["pipelineExecutionId"])

    def _settle(self, intent: Intent, execution_id: str) -> Outcome:
        need = intent.need
        why = {
            "execution_id": execution_id,
            "why": need.sentence,
            "reasons": list(need.reasons),
            "features": list(need.features),
            "release": need.release,
            "alarms": list(need.ids),
            "since": _iso(need.since),
            "dataset": {"key": intent.key, "version_id": intent.version_id},
        }
        self.store.explain(execution_id, why)
        started = self.clock()
        start = Start(execution_id, intent.version_id, intent.uploaded, intent.reserved, started)
        self.store.change(lambda state: state.settled(start) if state.intent == intent else state)
        reason = f"Execution {execution_id} trains on {intent.key} (version {intent.version_id}). {need.sentence}"
        return Outcome("started", reason, execution_id, need)

    def _executions(self) -> list[Execution]:
        return read_executions(self.services.codepipeline, self.settings.pipeline, self.document.action)

    def _datasets(self, executions: Sequence[Execution], newest: int, state: State) -> list[Dataset]:
        release = None
        if newest:
            try:
                release = self._releases.read(newest)
            except ConfigurationError as error:
                logs.info("a release record cannot be read", release=newest, reason=str(error))
        bucket = self.settings.data_bucket
        return new_datasets(self.services.s3, bucket, self.document, executions, release, state, self.clock())

    @property
    def _releases(self) -> Releases:
        return Releases(self.services.s3, self.settings.artifact_bucket, self.settings.pipeline)


def token_of(pipeline: str, intent: Intent) -> str:
    """The request token of an execution: no version of a data set is started twice."""
    return f"retrain-{hashlib.sha256(f'{pipeline}/{intent.key}/{intent.version_id}'.encode()).hexdigest()[:32]}"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="seconds")
