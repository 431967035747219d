"""Things that somebody deletes, damages or changes at a certain moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.faults import stored
from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.fault import Fault, fits
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.hooks import ApiCall
    from mlops_constructs.local_aws.local_aws import LocalAws

NOW = "now"
_ACTION = "CodePipeline Action Execution State Change"


class ThingFault(Fault, ABC):
    """Something happens to a thing at a moment: now, when an action of a pipeline starts, or beside a role's call."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._moments = [one for one in ("at", "before", "after") if self.values[one]]
        if len(self._moments) != 1:
            raise FaultError(
                f"{self.text}: when? give at=ACTION (an action of a pipeline starts), before=OPERATION,"
                " after=OPERATION, or at=now"
            )

    def install(self, aws: LocalAws) -> None:
        """Do it now, where that is the moment."""
        self.aws = aws
        if self.values["at"] == NOW:
            self._now()

    def noticed(self, event: dict[str, Any]) -> None:
        """Do it when the action starts."""
        detail, action = event["detail"], self.values["at"]
        if not action or event["detail-type"] != _ACTION or detail["state"] != "STARTED":
            return
        if fits(action, detail["action"]):
            self._now()

    def around(self, call: ApiCall, proceed: Callable[[], Any]) -> Any:
        """Do it beside a call."""
        (moment,) = self._moments
        operation = self.values[moment] if moment != "at" else None
        named = operation is not None and (call.service, call.operation) == (operation.service, operation.name)
        if not named or self.aws.account.access.caller(call.access_key) is None:
            return proceed()
        if moment == "before":
            self._now()
            return proceed()
        answer = proceed()
        self._now()
        return answer

    @abstractmethod
    def happen(self) -> str:
        """Do it; return what was done. Raises FaultError when there is no such thing."""

    def _now(self) -> None:
        if not self.due():
            return
        try:
            self.fire(self.happen())
        except (FaultError, AwsError, ClientError, BotoCoreError) as error:
            self.problem = f"it could not happen: {error}"


class Delete(ThingFault):
    """Somebody deletes a thing by hand."""

    def happen(self) -> str:
        """Delete it."""
        return stored.DELETERS[self.values["kind"]](self.aws, self.values["name"])


class Damage(ThingFault):
    """An object has a new version, which is not what it was."""

    def happen(self) -> str:
        """Write it."""
        s3 = self.aws.client("s3")
        bucket, key = stored.newest_object(self.aws, self.values["name"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key=key, Body=self._damaged(body))
        return f"s3://{bucket}/{key} was damaged: {self.values['how']}"

    def _damaged(self, body: bytes) -> bytes:
        how = self.values["how"]
        if how == "empty":
            return b""
        if how == "garbage":
            return self.random.randbytes(max(1, len(body)))
        if how == "truncate":
            return body[: len(body) // 2]
        place = self.random.randrange(max(1, len(body)))
        return body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :] if body else b"\xff"


class Key(ThingFault):
    """A KMS key is disabled, or somebody has scheduled its deletion."""

    def happen(self) -> str:
        """Change its state."""
        kms = self.aws.client("kms")
        key = stored.key_of(self.aws, self.values["name"])
        if self.values["state"] == "disabled":
            kms.disable_key(KeyId=key)
        else:
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        return f"the key {key} is {self.values['state']}"


class Queue(ThingFault):
    """A queue refuses every message, as its policy denies them. SQS has no limit to the messages of a queue."""

    def install(self, aws: LocalAws) -> None:
        """Refuse it where no policy counts."""
        if not aws.account.access.enforced:
            raise FaultError(f"{self.text}: the policy of a queue counts only where IAM is enforced")
        super().install(aws)

    def happen(self) -> str:
        """Write the policy."""
        sqs = self.aws.client("sqs")
        url = stored.queue_of(self.aws, self.values["name"])
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": stored.denying(self.aws, url)})
        return f"the queue {url.rpartition('/')[2]} refuses every message"


class StackState(ThingFault):
    """A stack of CloudFormation is in a state that it does not leave by itself."""

    def happen(self) -> str:
        """Set it."""
        stack = stored.stack_of(self.aws, self.values["name"])
        stack.move_to(self.values["state"], "a fault was injected")
        if self.values["state"] == "DELETE_COMPLETE":
            stack.deleted = utc_now()
        return f"the stack {stack.name} is in {self.values['state']}"


class Time(ThingFault):
    """Time passes. An approval is asked for before, and an answer to it comes after."""

    def noticed(self, event: dict[str, Any]) -> None:
        """Do it when the action starts, unless it is an approval."""
        if event["detail"].get("type", {}).get("category") != "Approval":
            super().noticed(event)

    def asked(self, pipeline: str, action: str) -> None:
        """Do it when an approval has been asked for."""
        if self.values["at"] and fits(self.values["at"], action):
            self._now()

    def happen(self) -> str:
        """Advance the clock."""
        self.aws.clock.advance(self.values["time"])
        return f"the clock of the account was advanced to {self.aws.clock.utc():%Y-%m-%dT%H:%M:%SZ}"


class Alarm(Fault):
    """An alarm that can roll an update back rings while the new fleet is watched, until the fault ends."""

    def install(self, aws: LocalAws) -> None:
        """Prepare it."""
        self.aws = aws
        self._before: dict[str, str] = {}

    def end(self) -> None:
        """Let it be silent again."""
        super().end()
        for name, state in self._before.items():
            with suppress(ClientError, BotoCoreError):
                self._set(name, state)
        self._before = {}

    def baking(self, endpoint: str, alarms: list[str]) -> None:
        """Let it ring."""
        found = [name for name in alarms if fits(self.values["name"], name)]
        if not found:
            watched = ", ".join(alarms) or "no alarm"
            self.problem = f"the update of {endpoint} is watched by {watched}, not by {self.values['name']!r}"
        elif fits(self.values["endpoint"], endpoint) and self.due():
            self.problem = ""
            described = self.aws.client("cloudwatch").describe_alarms(AlarmNames=found)["MetricAlarms"]
            for alarm in described:
                self._before.setdefault(alarm["AlarmName"], alarm["StateValue"])
                self._set(alarm["AlarmName"], "ALARM")
            self.fire(f"{', '.join(found)} rang while {endpoint} was updated")

    def _set(self, name: str, state: str) -> None:
        reason = "a fault was injected"
        self.aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)


class Quota(Fault):
    """A quota of SageMaker is too low; it happens when a request is refused because of it."""

    def install(self, aws: LocalAws) -> None:
        """Set it."""
        aws.service_quotas.set(self.values["name"], self.values["value"])

    def over_quota(self, quota: str) -> None:
        """Remember that it was met."""
        if quota == self.values["name"]:
            self.fire(f"a request was refused: {quota} is {self.values['value']}")
