"""EventBridge at run time: moto stores rules and targets, this module matches and delivers events."""

from __future__ import annotations

import json
import queue
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from moto.events.models import EventPattern

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.cloudwatch.metrics import Metric
from mlops_constructs.local_aws.events.retries import Delivery, Retries, is_passing
from mlops_constructs.local_aws.events.target_input import target_input
from mlops_constructs.local_aws.iam.service_principals import service_call_checks
from mlops_constructs.local_aws.roles import RULE_SESSION, assume_as
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from mlops_constructs.local_aws.account import Account, Event
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics


class UndeliverableError(Exception):
    """The local AWS does not deliver to this kind of target."""


class EventsService(Service):
    """Delivers events one after the other, in the order in which they arrive, and tries again what could not be."""

    service_name: ClassVar[str] = "events"

    def __init__(self, account: Account, metrics: Metrics) -> None:
        super().__init__(account)
        self._metrics = metrics
        self._waiting: queue.Queue[tuple[str, Event] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._retries = Retries(account, self._deliver)
        account.subscribe(self.emit)
        account.clock.wait_while(lambda: self.waiting > 0)

    @property
    def waiting(self) -> int:
        """How many events are not delivered yet."""
        return self._waiting.unfinished_tasks

    def put_events(self, params: Params) -> Params:
        """Queue custom events; each entry whose `Detail` is not JSON is rejected."""
        entries = [self._put(entry) for entry in params["Entries"]]
        failed = sum("ErrorCode" in entry for entry in entries)
        return {"FailedEntryCount": failed, "Entries": entries}

    def emit(self, event: Event, bus: str = "default") -> str:
        """Queue an event for delivery and return its id; missing envelope fields are filled in."""
        envelope = {
            "version": "0",
            "id": str(uuid4()),
            "account": self.account.account_id,
            "time": utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.account.region,
            "resources": [],
            **event,
        }
        self._waiting.put((bus, envelope))
        return str(envelope["id"])

    def fire(self, rule: str) -> None:
        """Emit the event of a rule's schedule now."""
        found = self.account.moto("events").describe_rule(Name=rule)
        if not found.get("ScheduleExpression"):
            raise AwsError("ValidationException", f"The rule {rule} has no schedule.")
        self.emit({"source": "aws.events", "detail-type": "Scheduled Event", "resources": [found["Arn"]], "detail": {}})

    def start(self) -> None:
        """Begin to deliver."""
        self._thread = self.account.spawn("event-bus", self._deliver_all, always=True)
        self.account.spawn("event-retries", self._retries.run, always=True)

    def close(self) -> None:
        """Stop delivering."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(2)

    def _put(self, entry: Params) -> Params:
        try:
            detail = json.loads(entry["Detail"])
            event = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail}
        except KeyError as error:
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": f"{error.args[0]} is missing"}
        except ValueError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        event["resources"] = entry.get("Resources", [])
        bus = entry.get("EventBusName", "default").rsplit("/", 1)[-1]
        return {"EventId": self.emit(event, bus)}

    def _deliver_all(self) -> None:
        while (item := self._waiting.get()) is not None:
            bus, event = item
            if self.account.closing.is_set():
                return
            try:
                for delivered in self.account.hooks.emitted(event):
                    for rule, target in self._matching_targets(bus, delivered):
                        self._deliver(Delivery(rule, target, delivered, self.account.clock.time()))
            except Exception as error:
                # One invalid rule must not stop the bus for all later events.
                self.account.log(f"event bus {bus}: an event was lost: {type(error).__name__}: {error}")
            finally:
                self._waiting.task_done()

    def _matching_targets(self, bus: str, event: Event) -> Iterator[tuple[Params, Params]]:
        moto = self.account.moto("events")
        for page in moto.get_paginator("list_rules").paginate(EventBusName=bus):
            for rule in page["Rules"]:
                if rule["State"] != "DISABLED" and _matches(rule, event):
                    listed = moto.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)
                    yield from ((rule, target) for target in listed["Targets"])

    def _deliver(self, delivery: Delivery) -> None:
        rule, target = delivery.rule, delivery.target
        try:
            text = target_input(target, delivery.event, rule["Arn"])
            self._send(rule, target, text)
        except (ClientError, BotoCoreError, AwsError, DeniedError, UndeliverableError, ValueError) as error:
            exhausted = delivery.exhausted(self.account.clock.time()) if is_passing(error) else "not passing"
            again = "" if exhausted else f"; it is tried again in {delivery.pause_seconds:g} s"
            if exhausted:
                self._to_dead_letter_queue(delivery, error, exhausted)
            else:
                self._retries.add(delivery)
            if exhausted or delivery.retries == 0:
                self.account.log(
                    f"event rule {rule['Name']}: no delivery to the target {target['Arn']}: {error}{again}"
                )

    def _send(self, rule: Params, target: Params, text: str) -> None:
        arn = target["Arn"]
        service = arn.split(":")[2]
        credentials = None
        if "RoleArn" in target:
            principal, session = "events.amazonaws.com", f"{RULE_SESSION}{rule['Name']}"
            credentials = assume_as(
                self.account, principal, target["RoleArn"], session, "AccessDenied", source_arn=rule["Arn"]
            )
        elif service in ("lambda", "sns", "sqs"):
            self._check_permission(arn, rule["Arn"])
        if service == "codepipeline":
            wanted = json.loads(text)
            given = {key: wanted[key] for key in ("sourceRevisions", "variables") if key in wanted}
            name = arn.rsplit(":", 1)[1]
            self.account.client("codepipeline", credentials).start_pipeline_execution(name=name, **given)
        elif service == "lambda":
            self.account.client("lambda", credentials).invoke(
                FunctionName=arn, InvocationType="Event", Payload=_as_json(text).encode()
            )
        elif service == "sns":
            self.account.client("sns", credentials).publish(TopicArn=arn, Message=text)
        elif service == "sqs":
            group = target.get("SqsParameters", {})
            self._send_to_queue(arn, text, credentials, **group)
        else:
            raise UndeliverableError(f"the local AWS does not deliver events to {service}")

    def _check_permission(self, target_arn: str, rule_arn: str) -> None:
        """Raise DeniedError unless the policies of the target and of its KMS key allow this rule to send to it."""
        access = self.account.access
        checks = service_call_checks("events.amazonaws.com", target_arn, access.facts.kms_key(target_arn))
        access.check_service("events.amazonaws.com", checks, rule_arn)

    def _send_to_queue(self, arn: str, text: str, credentials: Params | None = None, **more: Any) -> None:
        url = self.account.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        self.account.client("sqs", credentials).send_message(QueueUrl=url, MessageBody=text, **more)

    def _to_dead_letter_queue(self, delivery: Delivery, error: Exception, exhausted: str) -> None:
        rule, target, event = delivery.rule, delivery.target, delivery.event
        arn = target.get("DeadLetterConfig", {}).get("Arn")
        if arn is None:
            return
        response = getattr(error, "response", {})
        code = response.get("Error", {}).get("Code", getattr(error, "code", "SDK_CLIENT_ERROR"))
        code = "NO_PERMISSIONS" if isinstance(error, DeniedError) else code
        reasons = {
            "RULE_ARN": rule["Arn"],
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(delivery.retries),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if is_passing(error) else {}),
        }
        attributes = {key: {"DataType": "String", "StringValue": value} for key, value in reasons.items()}
        try:
            self._check_permission(arn, rule["Arn"])
            self._send_to_queue(arn, json.dumps(event), MessageAttributes=attributes)
        except (ClientError, BotoCoreError, DeniedError) as failure:
            self.account.log(f"event rule {rule['Name']}: no delivery to the dead-letter queue {arn} either: {failure}")
            self._count_lost(rule)

    def _count_lost(self, rule: Params) -> None:
        """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"""
        bus = rule.get("EventBusName", "default")
        dimensions = {"RuleName": rule["Name"], **({} if bus == "default" else {"EventBusName": bus})}
        metric = Metric.of("AWS/Events", "InvocationsFailedToBeSentToDlq", dimensions)
        self._metrics.publish([(metric, "Count", 1)], self.account.clock.time())


def _matches(rule: Params, event: Event) -> bool:
    if event.get("detail-type") == "Scheduled Event":
        return bool(rule.get("ScheduleExpression")) and rule["Arn"] in event["resources"]
    pattern = rule.get("EventPattern")
    return pattern is not None and EventPattern.load(pattern).matches_event(event)  # type: ignore[arg-type]


def _as_json(text: str) -> str:
    """The text as JSON, for targets that accept only JSON; the text of a string template is quoted."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text)
    return text
