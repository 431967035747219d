"""The schedules of EventBridge rules.

A schedule is due when the account's clock is advanced past it. The passing of real time alone does not fire it: what
happens must not depend on the hour at which the account is started.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache, partial
from typing import TYPE_CHECKING, ClassVar

from moto.events.models import events_backends

from mlops_constructs.local_aws.schedules import Schedule, ScheduleError
from mlops_constructs.local_aws.service import Params, Service

if TYPE_CHECKING:
    from moto.events.models import Rule

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.clock import Due
    from mlops_constructs.local_aws.events.service import EventsService

_BUS = "default"  # "ScheduleExpression is supported only on the default event bus."


class RuleSchedules(Service):
    """Fires the rules whose schedules are due."""

    service_name: ClassVar[str] = "events"

    def __init__(self, account: Account, events: EventsService) -> None:
        super().__init__(account)
        self._events = events
        self._since: dict[str, tuple[str, datetime]] = {}
        account.clock.add_timer(self._next)

    def after_put_rule(self, params: Params, headers: dict[str, str]) -> None:
        """Begin to count a rate, which "starts when you create the scheduled event rule".

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html
        """
        name, expression = params["Name"], params.get("ScheduleExpression", "")
        with self.lock:
            if self._since.get(name, ("",))[0] != expression:
                self._since[name] = expression, self.account.clock.utc()

    def after_delete_rule(self, params: Params, headers: dict[str, str]) -> None:
        """Forget it: a new rule of this name begins anew."""
        with self.lock:
            self._since.pop(params["Name"], None)

    def _next(self, after: float, until: float) -> Due | None:
        found: Due | None = None
        for rule in self._rules():
            due = self._due(rule, _utc(after), _utc(until))
            if due is not None and (found is None or due.timestamp() < found[0]):
                found = due.timestamp(), partial(self._fire_all, due)
        return found

    def _fire_all(self, due: datetime) -> None:
        """Emit the events of all rules that are due at one moment."""
        before = _utc(due.timestamp() - 1e-3)
        for rule in self._rules():
            if self._due(rule, before, due) == due:
                self.account.log(f"event rule {rule.name}: its schedule is due: {rule.scheduled_expression}")
                self._events.fire(rule.name)

    def _rules(self) -> list[Rule]:
        rules = events_backends[self.account.account_id][self.account.region].event_buses[_BUS].rules
        return [rule for rule in list(rules.values()) if rule.scheduled_expression and rule.state != "DISABLED"]

    def _due(self, rule: Rule, after: datetime, until: datetime) -> datetime | None:
        with self.lock:
            _, since = self._since.get(rule.name, ("", after))
        try:
            return _parsed(str(rule.scheduled_expression)).first(after, until, since)
        except ScheduleError as error:
            self.account.log(f"event rule {rule.name}: the local AWS does not run its schedule: {error}")
            return None


@cache
def _parsed(expression: str) -> Schedule:
    return Schedule.parse(expression, None)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
