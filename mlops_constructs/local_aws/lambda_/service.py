"""Invocations of Lambda functions: moto stores the functions, this module runs the real handlers."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import threading
import zipfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from moto.awslambda.utils import get_backend

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.iam.service_roles import role_use_checks
from mlops_constructs.local_aws.lambda_.asynchronous import AsynchronousEvents, FailureListener
from mlops_constructs.local_aws.lambda_.function import Function
from mlops_constructs.local_aws.lambda_.logs import keep_logs
from mlops_constructs.local_aws.lambda_.worker import Outcome, Worker
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics


class LambdaService(Service):
    """Keeps warm worker processes for each function; a changed function gets new ones."""

    service_name: ClassVar[str] = "lambda"

    def __init__(self, account: Account, metrics: Metrics) -> None:
        super().__init__(account)
        self._idle: dict[Function, list[Worker]] = defaultdict(list)
        self._busy: dict[str, tuple[str, Worker]] = {}
        self._asynchronous = AsynchronousEvents(account, metrics, self._run, self._credentials)
        self._unpacking = threading.Lock()

    def invoke(self, params: Params) -> Params:
        """Run a handler: synchronously (RequestResponse) or asynchronously (Event)."""
        function = self._function(params)
        kind = params.get("InvocationType", "RequestResponse")
        event = _parsed(params.get("Payload", b""))
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            for _ in range(self.account.hooks.invoked(function.name)):
                self._asynchronous.deliver(function, event)
            return {"StatusCode": 202, "Payload": b""}
        outcome = self._run(function, event)
        answer: Params = {
            "StatusCode": 200,
            "ExecutedVersion": function.version,
            "Payload": outcome.payload,
        }
        if outcome.failed:
            answer["FunctionError"] = "Unhandled"
        if params.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode("\n".join(outcome.logs).encode()[-4096:]).decode()
        return answer

    def on_failure(self, listener: FailureListener) -> None:
        """Call `listener` with (function name, event, reason) when all attempts of an asynchronous event failed."""
        self._asynchronous.listeners.append(listener)

    def running(self, access_key: str) -> tuple[str, Callable[[], None]] | None:
        """Return the name of the function that uses a key now, and what kills its process; None for other keys."""
        found = self._busy.get(access_key)
        return None if found is None else (found[0], found[1].end)

    def end_idle(self) -> None:
        """End the processes that wait for an event, as AWS does at any time: the next events start new ones."""
        with self.lock:
            idle = [worker for workers in self._idle.values() for worker in workers]
            self._idle.clear()
        for worker in idle:
            worker.end()

    def _function(self, params: Params) -> Function:
        names = {key: params[key] for key in ("FunctionName", "Qualifier") if key in params}
        response = self.account.moto("lambda").get_function(**names)
        return Function.from_configuration(response["Configuration"])

    def _run(self, function: Function, event: Any) -> Outcome:
        request_id, ahead = str(uuid4()), self._ahead(function)
        worker = self._take(function, ahead)
        with self.lock:
            self._busy[worker.access_key] = function.name, worker
        try:
            outcome = worker.run(request_id, function.arn, event, function.timeout_seconds, ahead)
        finally:
            with self.lock:
                del self._busy[worker.access_key]
            self._give_back(function, worker)
        keep_logs(self.account, function, worker.log_stream, request_id, outcome)
        return outcome

    def _ahead(self, function: Function) -> float:
        return self.account.clock.ahead + self.account.hooks.clock_ahead(function.name)

    def _take(self, function: Function, ahead: float) -> Worker:
        stale: list[Worker] = []
        with self.lock:
            for other in [known for known in self._idle if known.arn == function.arn and known != function]:
                stale.extend(self._idle.pop(other))
            alive = [worker for worker in self._idle[function] if worker.alive]
            fit = [worker for worker in alive if worker.can_be(ahead)]
            stale.extend(worker for worker in alive if worker not in fit)
            taken = fit.pop() if fit else None
            self._idle[function] = fit
        for old in stale:
            old.end()
        return taken if taken is not None else self._start(function, shifted=ahead != 0)

    def _give_back(self, function: Function, worker: Worker) -> None:
        with self.lock:
            if worker.alive and not self.account.closing.is_set():
                self._idle[function].append(worker)
                return
        worker.end()

    def _start(self, function: Function, *, shifted: bool) -> Worker:
        code = self._unpacked(function)
        credentials = self._credentials(function)
        stream = f"{utc_now():%Y/%m/%d}/[{function.version}]{uuid4().hex}"
        self._check_role(function, stream, credentials)
        environment = {
            **dict(function.variables),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.account.workdir),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": self.account.region,
            "AWS_DEFAULT_REGION": self.account.region,
            "AWS_ENDPOINT_URL": self.account.url,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        }
        return Worker(self.account.processes, code, function.handler, environment, shifted=shifted)

    def _credentials(self, function: Function) -> dict[str, Any]:
        return assume_as(
            self.account,
            "lambda.amazonaws.com",
            function.role,
            function.name,
            "AccessDeniedException",
            source_arn=function.arn,
        )

    def _check_role(self, function: Function, stream: str, credentials: Mapping[str, Any]) -> None:
        """Log which permissions for logs and traces the role lacks; on AWS the invocation still succeeds."""
        names = {"log_group_arn": self.account.arn("logs", f"log-group:{function.log_group}"), "log_stream": stream}
        for check in role_use_checks("Lambda", names):
            with contextlib.suppress(DeniedError):
                self.account.access.check_role(credentials, [check])

    def _unpacked(self, function: Function) -> Path:
        digest = hashlib.sha256(function.sha256.encode()).hexdigest()[:12]
        folder = self.account.workdir / "lambda" / f"{function.name}-{digest}"
        with self._unpacking:
            if not folder.is_dir():
                folder.mkdir(parents=True)
                with zipfile.ZipFile(io.BytesIO(self._code(function))) as archive:
                    archive.extractall(folder)
        return folder

    def _code(self, function: Function) -> bytes:
        # moto returns a code location that cannot be downloaded, so the code is read from moto's backend
        backend = get_backend(self.account.account_id, self.account.region)
        code: bytes = backend.get_function(function.arn).code_bytes
        return code


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload) if payload else {}
    except ValueError as error:
        raise AwsError("InvalidRequestContentException", f"Could not parse request body into json: {error}") from error
