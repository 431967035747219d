"""Runs one execution: the stages one after the other, and the actions of a stage in their run order."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codepipeline.announce import Announcer
from mlops_constructs.local_aws.codepipeline.artifacts import ArtifactStore
from mlops_constructs.local_aws.codepipeline.context import ActionContext
from mlops_constructs.local_aws.codepipeline.role_use import check_role, credentials_for
from mlops_constructs.local_aws.codepipeline.state import (
    AbandonedError,
    ActionFailedError,
    ActionRun,
    Artifact,
    Definition,
    Execution,
    Job,
    StageRun,
    Status,
)
from mlops_constructs.local_aws.codepipeline.variables import resolved
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codepipeline.context import Providers
    from mlops_constructs.local_aws.codepipeline.gates import Gates

logger = logging.getLogger(__name__)

FAILED_ACTIONS = "FAILED_ACTIONS"
ALL_ACTIONS = "ALL_ACTIONS"
_CHECK_SECONDS = 0.2


class Runner:
    """Runs executions. State changes only while the gates' `changed` is locked."""

    def __init__(self, account: Account, providers: Providers, gates: Gates, jobs: dict[str, Job]) -> None:
        self._account = account
        self._providers = providers
        self._changed, self._gates = gates.changed, gates
        self._jobs = jobs
        self._announce = Announcer(account)

    def run(self, execution: Execution, retry_stage: str | None = None, retry_mode: str = "") -> None:
        """Run to the end, from the first stage, or from a failed stage that is retried."""
        self._announce.pipeline(execution, resumed=retry_stage is not None)
        stages = execution.pipeline["stages"]
        names = [stage["name"] for stage in stages]
        first = 0 if retry_stage is None else names.index(retry_stage)
        status = Status.IN_PROGRESS
        for stage in stages[first:]:
            if not self._gates.passes(execution, stage["name"]):
                break
            if not self._can_enter(execution, stage):
                return
            mode = retry_mode if stage["name"] == retry_stage else None
            status = self._run_stage(execution, stage, mode)
            if status is Status.FAILED and mode is None and not execution.stopping:
                status = self._on_failure(execution, stage)
            if status is not Status.SUCCEEDED or execution.stopping:
                break
        self._conclude(execution, status)

    def finish(self, execution: Execution, status: Status, summary: str | None) -> None:
        """Set the final status of an execution, and announce it."""
        with self._changed:
            execution.status, execution.summary, execution.updated = status, summary, utc_now()
            self._changed.notify_all()
        self._announce.pipeline(execution)

    def announce_stopping(self, execution: Execution) -> None:
        """Announce that an execution was asked to stop."""
        self._announce.pipeline(execution)

    def _conclude(self, execution: Execution, last: Status) -> None:
        if execution.stopping:
            self.finish(execution, Status.STOPPED, execution.stop_reason)
        elif last is Status.SUCCEEDED:
            self.finish(execution, Status.SUCCEEDED, None)
        else:
            self.finish(execution, Status.FAILED, _first_error(execution))

    def _on_failure(self, execution: Execution, stage: Definition) -> Status:
        """Apply the stage's onFailure configuration once."""
        wanted = stage.get("onFailure", {})
        result = wanted.get("result", "FAIL")
        if result == "RETRY":
            mode = wanted.get("retryConfiguration", {}).get("retryMode", ALL_ACTIONS)
            return self._run_stage(execution, stage, mode)
        if result != "FAIL":
            self._account.log(f"the local AWS does not support onFailure {result} of the stage {stage['name']}")
        return Status.FAILED

    def _can_enter(self, execution: Execution, stage: Definition) -> bool:
        conditions = [name for name in ("beforeEntry", "onSuccess") if stage.get(name)]
        if conditions:
            reason = f"the local AWS does not support {' and '.join(conditions)} of the stage {stage['name']}"
            self.finish(execution, Status.FAILED, reason)
        return not conditions

    def _run_stage(self, execution: Execution, stage: Definition, retry_mode: str | None) -> Status:
        with self._changed:
            run = execution.stages.get(stage["name"])
            if run is None or retry_mode == ALL_ACTIONS:
                run = StageRun(stage["name"])
            run.status = Status.IN_PROGRESS
            execution.stages[stage["name"]] = run
        self._announce.stage(execution, stage["name"], run.status, resumed=retry_mode is not None)
        status = self._run_groups(execution, stage, run)
        with self._changed:
            run.status = status
        self._announce.stage(execution, stage["name"], status)
        return status

    def _run_groups(self, execution: Execution, stage: Definition, run: StageRun) -> Status:
        ordered = sorted(stage["actions"], key=_run_order)
        for _, group in groupby(ordered, key=_run_order):
            todo = [action for action in group if not _succeeded(run, action)]
            statuses = self._run_together(execution, run, todo)
            if Status.ABANDONED in statuses:
                return Status.STOPPED
            if Status.FAILED in statuses:
                return Status.FAILED
            if execution.stopping and _unfinished(run, ordered):
                return Status.STOPPED
        return Status.SUCCEEDED

    def _run_together(self, execution: Execution, stage: StageRun, actions: list[Definition]) -> list[Status]:
        runs = [ActionRun(stage.name, action) for action in actions]
        with self._changed:
            for run in runs:
                stage.actions[run.name] = run
                execution.history.append(run)
        threads = [self._account.spawn(f"action-{run.name}", partial(self._run_action, execution, run)) for run in runs]
        for thread in threads:
            while thread.is_alive() and not execution.abandoned and not self._account.closing.is_set():
                thread.join(_CHECK_SECONDS)
        for run in runs:  # an action that waits for a long request must not delay the abandonment
            self._end(execution, run, Status.ABANDONED)
        return [run.status for run in runs]

    def _run_action(self, execution: Execution, run: ActionRun) -> None:
        self._announce.action(execution, run)
        try:
            variables = self._done(execution, run)
        except ActionFailedError as error:
            self._fail(execution, run, error)
        except AbandonedError:
            self._end(execution, run, Status.ABANDONED)
        except (AwsError, DeniedError) as error:
            self._fail(execution, run, ActionFailedError(str(error), "PermissionError"))
        except ClientError as error:
            denied = "AccessDenied" in error.response["Error"]["Code"]
            failure = ActionFailedError(str(error), "PermissionError" if denied else "JobFailed")
            self._fail(execution, run, failure)
        except BotoCoreError as error:
            self._fail(execution, run, ActionFailedError(str(error)))
        except Exception as error:
            logger.exception("action %s/%s", run.stage, run.name)
            message = f"internal error of the local AWS, please report it: {type(error).__name__}: {error}"
            self._fail(execution, run, ActionFailedError(message, "SystemUnavailable"))
        else:
            self._succeed(execution, run, variables)

    def _done(self, execution: Execution, run: ActionRun) -> dict[str, str]:
        kind = run.definition["actionTypeId"]
        provider = self._providers.get((kind["category"], kind["owner"], kind["provider"]))
        if provider is None:
            name = f"{kind['category']}/{kind['owner']}/{kind['provider']}"
            raise ActionFailedError(f"the local AWS does not support the action provider {name}", "ConfigurationError")
        credentials = credentials_for(self._account, execution, run)
        store = ArtifactStore(execution.pipeline, self._account.region, self._account.client("s3", credentials))
        with self._changed:
            run.inputs = [_known(execution, entry["name"]) for entry in run.definition["inputArtifacts"]]
            run.outputs = [store.place(entry["name"]) for entry in run.definition["outputArtifacts"]]
            run.configuration = resolved(run.definition["configuration"], execution)
        context = ActionContext(self._account, execution, run, store, credentials, self._jobs, self._changed)
        check_role(context)
        return provider(context)

    def _succeed(self, execution: Execution, run: ActionRun, variables: dict[str, str]) -> None:
        with self._changed:
            if run.status is not Status.IN_PROGRESS:
                return
            run.variables = variables
            revision = run.external_id if run.definition["actionTypeId"]["category"] == "Source" else None
            for output in run.outputs:
                execution.artifacts[output.name] = replace(output, revision=revision)
            namespace = run.definition.get("namespace")
            if namespace is not None:
                execution.namespaces[namespace] = variables
        self._end(execution, run, Status.SUCCEEDED)

    def _fail(self, execution: Execution, run: ActionRun, error: ActionFailedError) -> None:
        with self._changed:
            if run.status is Status.IN_PROGRESS:
                run.error_code, run.error_message = error.code, self._account.access.explain(error.message)
        self._end(execution, run, Status.FAILED)

    def _end(self, execution: Execution, run: ActionRun, status: Status) -> None:
        """Set the final status of a run, unless it has one."""
        with self._changed:
            if run.status is not Status.IN_PROGRESS:
                return
            run.status, run.updated = status, utc_now()
            execution.updated = run.updated
            self._changed.notify_all()
        self._announce.action(execution, run)


def _unfinished(run: StageRun, actions: list[Any]) -> bool:
    """Whether the stage has actions that did not succeed yet."""
    return any(not _succeeded(run, action) for action in actions)


def _succeeded(run: StageRun, action: Definition) -> bool:
    done = run.actions.get(action["name"])
    return done is not None and done.status is Status.SUCCEEDED


def _run_order(action: Definition) -> int:
    return int(action.get("runOrder", 1))


def _known(execution: Execution, name: str) -> Artifact:
    if name not in execution.artifacts:
        raise ActionFailedError(f"no earlier action has stored the artifact {name}", "ConfigurationError")
    return execution.artifacts[name]


def _first_error(execution: Execution) -> str | None:
    for run in reversed(execution.history):
        if run.status is Status.FAILED:
            return f"{run.stage}/{run.name}: {run.error_message}"
    return None
