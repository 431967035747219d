"""CloudWatch alarms: moto stores them, this module evaluates them every minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.cloudwatch.alarm_actions import act
from mlops_constructs.local_aws.cloudwatch.alarm_data import period_of, points_of
from mlops_constructs.local_aws.cloudwatch.alarm_reasons import reason, reason_data
from mlops_constructs.local_aws.cloudwatch.alarm_states import INSUFFICIENT, judge
from mlops_constructs.local_aws.cloudwatch.expressions import ExpressionError
from mlops_constructs.local_aws.cloudwatch.service_metrics import ServiceMetrics
from mlops_constructs.local_aws.service import AwsError, Params, PassToMotoError, Service, without_metadata

if TYPE_CHECKING:
    import threading

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics

_POLL_SECONDS = 0.2
_MAX_MINUTES = 15 * 24 * 60
"""A clock that was advanced is caught up with by its last 15 days, as long as AWS keeps the data of each minute."""
_NEW = "Unchecked: Initial alarm creation"


class AlarmsService(Service):
    """Evaluates the metric alarms of the account at the end of each minute of its clock.

    A state that SetAlarmState sets stays until the alarm's metrics have newer data. On AWS it is gone within seconds,
    and a test could not wait for anything.
    """

    service_name: ClassVar[str] = "cloudwatch"

    def __init__(self, account: Account, metrics: Metrics) -> None:
        super().__init__(account)
        self._metrics, self._services = metrics, ServiceMetrics(account, metrics)
        self._set_at: dict[str, float] = {}
        self._known: list[Params] | None = None
        self._minute = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to evaluate."""
        self._minute = self._now()
        self.account.clock.on_move(self.evaluate)
        self._thread = self.account.spawn("alarms", self._evaluate_always, always=True)

    def close(self) -> None:
        """Stop evaluating."""
        if self._thread is not None:
            self._thread.join(2)

    def put_metric_alarm(self, params: Params) -> Params:
        """Create an alarm, in INSUFFICIENT_DATA, or change one, which keeps its state."""
        moto, name = self.account.moto("cloudwatch"), params["AlarmName"]
        self._check(params)
        with self.lock:
            before = self._find(name)
            answer: Params = without_metadata(moto.put_metric_alarm(**params))
            state = INSUFFICIENT if before is None else before["StateValue"]
            said = _NEW if before is None else before["StateReason"]
            moto.set_alarm_state(AlarmName=name, StateValue=state, StateReason=said, StateReasonData="{}")
            self._forget()
            if before is None:
                self._set_at.pop(name, None)
        return answer

    def set_alarm_state(self, params: Params) -> Params:
        """Set the state of an alarm, and run its actions if it changed."""
        name = params["AlarmName"]
        with self.lock:
            before = self._find(name)
            if before is None:
                raise PassToMotoError
            self._set_at[name] = self.account.clock.time()
            self._move(before, params["StateValue"], params["StateReason"], params.get("StateReasonData", "{}"))
        return {}

    def describe_alarms(self, params: Params) -> Params:
        """Alarms by all filters together; moto knows only one at a time, and ignores StateValue beside a prefix."""
        wanted = params.get("StateValue")
        if wanted is None:
            raise PassToMotoError
        others = {name: value for name, value in params.items() if name != "StateValue"}
        answer: Params = without_metadata(self.account.moto("cloudwatch").describe_alarms(**others))
        for kind in ("MetricAlarms", "CompositeAlarms"):
            answer[kind] = [alarm for alarm in answer.get(kind, []) if alarm["StateValue"] == wanted]
        return answer

    def after_delete_alarms(self, params: Params, headers: dict[str, str]) -> None:
        """Read them again."""
        self._forget()

    after_enable_alarm_actions = after_disable_alarm_actions = after_delete_alarms

    def evaluate(self) -> None:
        """Evaluate every alarm for each minute that has ended since the last time, as of its end."""
        with self.lock:
            now = self._now()
            for minute in range(max(self._minute + 1, now - _MAX_MINUTES), now + 1):
                with self.account.clock.as_of(minute * 60.0):
                    self._services.sample(minute * 60.0 - 1)
                    for alarm in self._alarms():
                        self._evaluate(alarm, minute)
            self._minute = now

    def _evaluate_always(self) -> None:
        while not self.account.closing.wait(_POLL_SECONDS):
            if self._now() > self._minute:
                self.evaluate()

    def _evaluate(self, alarm: Params, minute: int) -> None:
        try:
            points = points_of(alarm, self._metrics, minute)
        except (ExpressionError, AwsError) as error:
            self.account.log(f"alarm {alarm['AlarmName']}: it cannot be evaluated: {error}")
            return
        if self._is_held(alarm, points):
            return
        finding = judge(alarm, points)
        if finding.state is None or finding.state == alarm["StateValue"]:
            return
        said = reason(alarm, finding, finding.state)
        data = reason_data(alarm, finding, period_of(alarm), minute * 60.0)
        self._move(alarm, finding.state, said, data)

    def _is_held(self, alarm: Params, points: list[tuple[float, float | None]]) -> bool:
        """Whether a state that SetAlarmState set still stays."""
        since, period = self._set_at.get(alarm["AlarmName"]), period_of(alarm)
        if since is None:
            return False
        if any(value is not None and at + period > since for at, value in points):
            del self._set_at[alarm["AlarmName"]]
            return False
        return True

    def _move(self, before: Params, state: str, said: str, data: str) -> None:
        name = before["AlarmName"]
        self.account.moto("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue=state, StateReason=said, StateReasonData=data
        )
        self._forget()
        after = self._find(name)
        if after is not None and state != before["StateValue"]:
            act(self.account, before, after)

    def _check(self, params: Params) -> None:
        """Refuse what could not be evaluated, with the name of what is missing."""
        try:
            points_of(params, self._metrics, self._now())
        except ExpressionError as error:
            raise AwsError("ValidationError", str(error)) from None

    def _find(self, name: str) -> Params | None:
        found: list[Params] = self.account.moto("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found[0] if found else None

    def _alarms(self) -> list[Params]:
        """Every alarm; reading them takes longer than to evaluate them."""
        if self._known is None:
            pages: Any = self.account.moto("cloudwatch").get_paginator("describe_alarms").paginate()
            self._known = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return self._known

    def _forget(self) -> None:
        with self.lock:
            self._known = None

    def _now(self) -> int:
        return int(self.account.clock.time() // 60)
