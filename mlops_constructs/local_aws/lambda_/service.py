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
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from moto.awslambda.utils import get_backend

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.iam.service_roles import role_use_checks
from mlops_constructs.local_aws.lambda_.function import Function
from mlops_constructs.local_aws.lambda_.logs import keep_logs
from mlops_constructs.local_aws.lambda_.worker import CLOCK_AHEAD, Outcome, Worker
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.account import Account

MAXIMUM_ATTEMPTS = 3
RETRY_DELAYS_SECONDS = (0.3, 0.6)  # on AWS 1 and 2 minutes

FailureListener = Callable[[str, Any, str], None]


class LambdaService(Service):
    """Keeps warm worker processes for each function; a changed function gets new ones."""

    service_name: ClassVar[str] = "lambda"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._idle: dict[Function, list[Worker]] = defaultdict(list)
        self._busy: dict[str, tuple[str, Worker]] = {}
        self._failure_listeners: list[FailureListener] = []
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
                self.account.spawn(f"lambda-{function.name}", lambda: self._run_async(function, event))
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
        self._failure_listeners.append(listener)

    def running(self, access_key: str) -> tuple[str, Callable[[], None]] | None:
        """Return the name of the function that uses a key now, and what kills its process; None for other keys."""
        with self.lock:
            found = self._busy.get(access_key)
        return None if found is None else (found[0], found[1].end)

    def forget_workers(self) -> None:
        """Let the next invocation of each function start a new process."""
        with self.lock:
            idle = [worker for workers in self._idle.values() for worker in workers]
            self._idle.clear()
        for worker in idle:
            worker.end()

    def _function(self, params: Params) -> Function:
        names = {key: params[key] for key in ("FunctionName", "Qualifier") if key in params}
        response = self.account.moto("lambda").get_function(**names)
        return Function.from_configuration(response["Configuration"])

    def _run_async(self, function: Function, event: Any) -> None:
        attempts, destination = self._asynchronous_settings(function)
        for attempt in range(1, attempts + 1):
            outcome = self._attempt(function, event)
            if not outcome.failed or self.account.closing.is_set():
                return
            self.account.log(f"lambda {function.name}: attempt {attempt} of {attempts} failed: {outcome.reason}")
            if attempt < attempts and self.account.closing.wait(RETRY_DELAYS_SECONDS[attempt - 1]):
                return
        if destination is not None:
            self._give_up(function, destination, event, outcome)
        for listener in self._failure_listeners:
            listener(function.name, event, outcome.reason)

    def _attempt(self, function: Function, event: Any) -> Outcome:
        """Run once without a caller: an error of the invocation counts as an error of the function."""
        try:
            return self._run(function, event)
        except AwsError as error:
            failure = {"errorType": error.code, "errorMessage": error.message}
            return Outcome(json.dumps(failure).encode(), True, [])

    def _asynchronous_settings(self, function: Function) -> tuple[int, str | None]:
        """The number of attempts, and the destination of an event when all attempts failed."""
        lambda_ = self.account.client("lambda")
        configuration = lambda_.get_function_configuration(FunctionName=function.arn)
        destination = configuration.get("DeadLetterConfig", {}).get("TargetArn")
        try:
            settings = lambda_.get_function_event_invoke_config(FunctionName=function.name)
        except ClientError:
            return MAXIMUM_ATTEMPTS, destination
        on_failure = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        retries = settings.get("MaximumRetryAttempts", MAXIMUM_ATTEMPTS - 1)
        return retries + 1, on_failure if on_failure is not None else destination

    def _give_up(self, function: Function, destination: str, event: Any, outcome: Outcome) -> None:
        message = json.dumps({"requestPayload": event, "responsePayload": json.loads(outcome.payload)})
        service, name = destination.split(":")[2], destination.rsplit(":", 1)[1]
        try:
            credentials = self._credentials(function)
            if service == "sqs":
                sqs = self.account.client("sqs", credentials)
                url = self.account.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=message)
            elif service == "sns":
                self.account.client("sns", credentials).publish(TopicArn=destination, Message=message)
            else:
                self.account.log(f"lambda {function.name}: the local AWS does not send failed events to {service}")
        except (AwsError, ClientError, BotoCoreError) as error:
            self.account.log(f"lambda {function.name}: the failed event could not be sent to {destination}: {error}")

    def _run(self, function: Function, event: Any) -> Outcome:
        request_id = str(uuid4())
        worker = self._take(function)
        with self.lock:
            self._busy[worker.access_key] = function.name, worker
        try:
            outcome = worker.run(request_id, function.arn, event, function.timeout_seconds)
        finally:
            with self.lock:
                del self._busy[worker.access_key]
            self._give_back(function, worker)
        keep_logs(self.account, function, worker.log_stream, request_id, outcome)
        return outcome

    def _take(self, function: Function) -> Worker:
        stale: list[Worker] = []
        with self.lock:
            for other in [known for known in self._idle if known.arn == function.arn and known != function]:
                stale.extend(self._idle.pop(other))
            alive = [worker for worker in self._idle[function] if worker.alive]
            taken = alive.pop() if alive else None
            self._idle[function] = alive
        for old in stale:
            old.end()
        return taken if taken is not None else self._start(function)

    def _give_back(self, function: Function, worker: Worker) -> None:
        if worker.alive and not self.account.closing.is_set():
            with self.lock:
                self._idle[function].append(worker)

    def _start(self, function: Function) -> Worker:
        code = self._unpacked(function)
        credentials = self._credentials(function)
        stream = f"{datetime.now(timezone.utc):%Y/%m/%d}/[{function.version}]{uuid4().hex}"
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
            CLOCK_AHEAD: str(self.account.hooks.clock_ahead(function.name)),
        }
        return Worker(self.account.processes, code, function.handler, environment)

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
