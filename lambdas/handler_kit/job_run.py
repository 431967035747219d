"""One execution's SageMaker job: at most one runs at a time, every wait ends, and failures give the real reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handler_kit import logs, tokens
from handler_kit.aws_time import time_of
from handler_kit.errors import ConfigurationError, StepError, error_code, error_message, is_missing, is_transient
from handler_kit.executions import Execution
from handler_kit.report import Continue
from handler_kit.requests import CAPACITY_RETRIES, STARTED_BY
from handler_kit.sagemaker_jobs import MAX_ATTEMPTS
from handler_kit.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable

    from handler_kit.sagemaker_jobs import FoundJob, Jobs

# CodePipeline allows a Lambda action 24 h in all; one hour is left for what happens before and after the wait.
MAX_WAIT_SECONDS = 23 * 3600

_CREATED, _IN_USE = "created", "in use"
_NO_CAPACITY = frozenset({"CapacityError", "InsufficientInstanceCapacity", "InsufficientCapacityException"})


class StillRunning(StepError):
    """The job runs longer than CodePipeline waits.

    Attributes:
        name: Name of the job.
        status: Status of the job.
    """

    def __init__(self, jobs: Jobs, name: str, status: str) -> None:
        super().__init__(
            f"{jobs.noun} {name} is still {status} after {MAX_WAIT_SECONDS // 3600} h, and CodePipeline waits no"
            f" longer. {jobs.remedy}",
            external_id=name,
        )
        self.name = name
        self.status = status


class JobRun:
    """Creates the job of an execution or adopts it, waits for it with a token, and retries when AWS had no capacity.

    Args:
        jobs: The kind of job.
        execution: The pipeline execution. If it has ended already, for instance because an event came late, the job is
            stopped as soon as it is started.
        started_by: ID of the CodePipeline job that this invocation is for. A retried stage has another ID, so that a
            job that failed in an earlier attempt of the stage gets a successor.
        request: Makes the whole request for a job name; its second argument is how often there was no capacity.
        capacity_retries: How often a job is started again when there was no capacity.
        enough: Whether the wait may end although the job is still running.
    """

    def __init__(
        self,
        jobs: Jobs,
        execution: Execution,
        *,
        started_by: str,
        request: Callable[[str, int], dict[str, Any]],
        capacity_retries: int = 0,
        enough: Callable[[FoundJob], bool] = lambda _: False,
    ) -> None:
        self._jobs = jobs
        self._execution = execution
        self._started_by = started_by
        self._request = request
        self._capacity_retries = capacity_retries
        self._enough = enough
        # Raises at once when the prefix or the execution ID is wrong.
        self._first_name = jobs.name(execution.id)

    def call(self, token_text: str | None, *, now: int) -> FoundJob | Continue:
        """Start the job on the first call, describe it on every later call, and return it when the wait is over.

        Raises StillRunning at the deadline, StepError when the job cannot be started.
        """
        token = self._token(token_text, now)
        try:
            if token.asked_by:
                return self._started(token, attempt=1)
            return self._look(self._jobs.read(token.awaits), token, now)
        except (ClientError, BotoCoreError) as error:
            return self._wait_on(error, token, now)

    def read(self, token_text: str | None, *, now: int) -> FoundJob | Continue:
        """Describe the newest job of the execution, which another action started. Raises StepError without a job."""
        token = self._token(token_text, now)
        try:
            found = list(self._jobs.of_execution(self._execution.id))
            if not found:
                raise StepError(f"{self._jobs.noun} {self._first_name} does not exist. Retry all actions of the stage.")
            return self._look(found[-1], Token(found[-1].name, token.deadline), now)
        except (ClientError, BotoCoreError) as error:
            return self._wait_on(error, token, now)

    def _token(self, text: str | None, now: int) -> Token:
        latest_deadline = now + MAX_WAIT_SECONDS
        if text is None:
            return Token(self._first_name, latest_deadline, asked_by=self._started_by)
        return tokens.decode(
            text,
            is_ours=lambda name: self._jobs.attempt_of(name, self._execution.id) is not None,
            latest_deadline=latest_deadline,
        )

    def _wait_on(self, error: Exception, token: Token, now: int) -> Continue:
        """Try again later: a failure that is reported here would make the pipeline stop a healthy job."""
        if is_missing(error) and not token.asked_by:
            raise StepError(
                f"{self._jobs.noun} {token.awaits} does not exist any more: somebody has deleted it. Retry all actions"
                " of the stage."
            ) from error
        if not is_transient(error):
            raise error
        logs.info("SageMaker returned a transient error", job=token.awaits, error=str(error))
        return self._wait(token, "unknown at the moment", now)

    def _look(self, job: FoundJob, token: Token, now: int) -> FoundJob | Continue:
        if job.is_running:
            at = f" ({job.secondary_status})" if job.secondary_status else ""
            return job if self._enough(job) else self._wait(*self._timed(job, token, f"{job.status}{at}", now))
        retries = int(self._jobs.environment(job.description).get(CAPACITY_RETRIES, "0"))
        if not job.reason.startswith("CapacityError") or retries >= self._capacity_retries:
            return job
        logs.info("no capacity, trying again", job=job.name, retries=retries)
        attempt = self._jobs.attempt_of(job.name, self._execution.id) or 1
        status = f"started again, because there was no capacity for {job.name}"
        return self._started(token, attempt + 1, retries + 1, status=status)

    def _timed(self, job: FoundJob, token: Token, status: str, now: int) -> tuple[Token, str, int]:
        """Give what ``_wait`` takes; a wait ends by AWS's time and by ours, because a clock may be wrong."""
        seen, created = time_of(job.description), job.description.get("CreationTime")
        if created is not None and self._jobs.attempt_of(job.name, self._execution.id) == 1:
            deadline = max(token.deadline, int(created.timestamp()) + MAX_WAIT_SECONDS)
            token = replace(token, deadline=min(deadline, token.deadline + tokens.CLOCK_SLACK_SECONDS))
        return token, status, now if seen is None else min(now, int(seen))

    def _started(self, token: Token, attempt: int, retries: int = 0, status: str = "started") -> Continue:
        name = self._start(attempt, retries, {self._started_by, token.asked_by})
        execution_status = self._execution.status()
        if not Execution.keeps_its_jobs(execution_status):
            self._jobs.end(name)
            raise StepError(
                f"The execution is {execution_status}, so {self._jobs.noun.lower()} {name} was stopped.",
                external_id=name,
            )
        return self._waiting(Token(name, token.deadline), status)

    def _wait(self, token: Token, status: str, now: int) -> Continue:
        if now >= token.deadline:
            raise StillRunning(self._jobs, token.awaits, status)
        return self._waiting(token, status)

    def _waiting(self, token: Token, status: str) -> Continue:
        return Continue(token, summary=f"{self._jobs.noun} {token.awaits}: {status}", external_id=token.awaits)

    def _start(self, attempt: int, retries: int, started_by: set[str]) -> str:
        """Create the job, or adopt it; a job that failed in an earlier attempt of the stage gets a successor."""
        while attempt <= MAX_ATTEMPTS:
            name = self._jobs.name(self._execution.id, attempt)
            request = self._request(name, retries)
            outcome = self._create(request)
            if outcome == _CREATED:
                logs.info("job started", job=name)
                return name
            if outcome == _IN_USE:
                if self._adopts(self._jobs.read(name), request, started_by):
                    return name
                attempt += 1
            elif retries < self._capacity_retries:
                retries += 1
            else:
                raise StepError(
                    f"{self._jobs.noun} {name} was not started: {outcome} Retry the stage later, or choose another"
                    " instance type."
                )
        raise StepError(
            f"{self._jobs.noun} {self._first_name} and its {MAX_ATTEMPTS - 1} successors have all failed."
            " Start a new execution."
        )

    def _create(self, request: dict[str, Any]) -> str:
        """``created``, ``in use`` when the name is in use, or SageMaker's message when there is no capacity."""
        try:
            self._jobs.create(request)
        except ClientError as error:
            if error_code(error) == "ResourceInUse":
                return _IN_USE
            if error_code(error) in _NO_CAPACITY:
                return error_message(error)
            if error_code(error) == "ResourceLimitExceeded":
                raise ConfigurationError(
                    f"The account's quota does not allow {self._jobs.instances(request)} for {self._jobs.quota}:"
                    f" {error_message(error)} Request a quota increase in Service Quotas, or choose another instance"
                    " type."
                ) from error
            raise
        return _CREATED

    def _adopts(self, job: FoundJob, request: dict[str, Any], started_by: set[str]) -> bool:
        over = not job.is_running and not job.has_result
        if over and self._jobs.environment(job.description).get(STARTED_BY) not in started_by:
            return False
        wanted, found = self._jobs.identity(request), self._jobs.identity(job.description)
        if differing := [
            f"{what} is {found[what]}, not {value}" for what, value in wanted.items() if value != found[what]
        ]:
            raise StepError(
                f"{self._jobs.noun} {job.name} exists already and is another {self._jobs.work}:"
                f" {'; '.join(differing)}. Start a new execution."
            )
        logs.info("job adopted", job=job.name, status=job.status)
        return True
