"""Asynchronous events of functions: tried again after errors, and sent to a queue or topic when all attempts failed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.cloudwatch.metrics import Metric
from mlops_constructs.local_aws.lambda_.worker import Outcome
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics
    from mlops_constructs.local_aws.lambda_.function import Function

# The defaults of AWS; the local AWS refuses PutFunctionEventInvokeConfig, which changes them.
MAXIMUM_ATTEMPTS = 3
MAXIMUM_AGE_SECONDS = 6 * 3_600
RETRY_DELAYS_SECONDS = (0.3, 0.6)  # on AWS 1 and 2 minutes

FailureListener = Callable[[str, Any, str], None]


class AsynchronousEvents:
    """The events that nobody waits for.

    Attributes:
        listeners: Called with (function name, event, reason) when all attempts of an event failed.
    """

    def __init__(
        self,
        account: Account,
        metrics: Metrics,
        run: Callable[[Function, Any], Outcome],
        credentials_of: Callable[[Function], dict[str, Any]],
    ) -> None:
        self.listeners: list[FailureListener] = []
        self._account, self._metrics, self._run, self._credentials_of = account, metrics, run, credentials_of
        self._lock = threading.Lock()
        self._going = 0
        account.clock.wait_while(self._is_busy)

    def deliver(self, function: Function, event: Any) -> None:
        """Run a function with an event, in a thread of its own."""
        with self._lock:
            self._going += 1
        self._account.spawn(f"lambda-{function.name}", lambda: self._deliver(function, event))

    def _is_busy(self) -> bool:
        with self._lock:
            return self._going > 0

    def _deliver(self, function: Function, event: Any) -> None:
        try:
            self._attempts(function, event)
        finally:
            with self._lock:
                self._going -= 1

    def _attempts(self, function: Function, event: Any) -> None:
        account = self._account
        invoked_at, expires = account.clock.time(), account.clock.now() + MAXIMUM_AGE_SECONDS
        for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
            outcome = self._attempt(function, event)
            if not outcome.failed or account.closing.is_set():
                return
            account.log(f"lambda {function.name}: attempt {attempt} of {MAXIMUM_ATTEMPTS} failed: {outcome.reason}")
            if attempt < MAXIMUM_ATTEMPTS and account.closing.wait(RETRY_DELAYS_SECONDS[attempt - 1]):
                return
            if account.clock.now() > expires:
                account.log(f"lambda {function.name}: the event is too old to be tried again")
                break
        configuration = account.client("lambda").get_function_configuration(FunctionName=function.arn)
        destination = configuration.get("DeadLetterConfig", {}).get("TargetArn")
        if destination is not None:
            self._give_up(function, destination, event, outcome, invoked_at)
        for listener in self.listeners:
            listener(function.name, event, outcome.reason)

    def _attempt(self, function: Function, event: Any) -> Outcome:
        """Run once without a caller: an error of the invocation counts as an error of the function."""
        try:
            return self._run(function, event)
        except AwsError as error:
            failure = {"errorType": error.code, "errorMessage": error.message}
            return Outcome(json.dumps(failure).encode(), True, [])

    def _give_up(self, function: Function, destination: str, event: Any, outcome: Outcome, invoked_at: float) -> None:
        message = json.dumps({"requestPayload": event, "responsePayload": json.loads(outcome.payload)})
        service, name = destination.split(":")[2], destination.rsplit(":", 1)[1]
        account = self._account
        try:
            credentials = self._credentials_of(function)
            if service == "sqs":
                url = account.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
                account.client("sqs", credentials).send_message(QueueUrl=url, MessageBody=message)
            elif service == "sns":
                account.client("sns", credentials).publish(TopicArn=destination, Message=message)
            else:
                account.log(f"lambda {function.name}: the local AWS does not send failed events to {service}")
        except (AwsError, ClientError, BotoCoreError) as error:
            account.log(f"lambda {function.name}: the failed event could not be sent to {destination}: {error}")
            # A metric of Lambda has the time at which the function was invoked:
            # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html
            metric = Metric.of("AWS/Lambda", "DeadLetterErrors", {"FunctionName": function.name})
            self._metrics.publish([(metric, "Count", 1)], invoked_at)
