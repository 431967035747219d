"""AWS Budgets: budgets with their notifications. Nothing costs anything here, so no budget is ever exceeded."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

# What AWS fills in: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Budget.html
_END = datetime(2087, 6, 15, tzinfo=timezone.utc)
_COST_TYPES = {
    **dict.fromkeys(("IncludeTax", "IncludeSubscription", "IncludeRefund", "IncludeCredit", "IncludeUpfront"), True),
    **dict.fromkeys(("IncludeRecurring", "IncludeOtherSubscription", "IncludeSupport", "IncludeDiscount"), True),
    **dict.fromkeys(("UseBlended", "UseAmortized"), False),
}
_NOTHING = {"Amount": "0.0", "Unit": "USD"}
_MAX_NOTIFICATIONS, _MAX_EMAILS, _MAX_TOPICS = 10, 10, 1
_NOTIFICATIONS = (
    "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateNotification.html"
)


@dataclass
class _Budget:
    settings: Params
    notifications: list[tuple[Params, list[Params]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


class BudgetsService(Service):
    """The cost budgets of the account; other kinds are refused."""

    service_name: ClassVar[str] = "budgets"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._budgets: dict[str, _Budget] = {}

    def create_budget(self, params: Params) -> Params:
        """Create a budget with its notifications."""
        settings = params["Budget"]
        name = settings["BudgetName"]
        given = params.get("NotificationsWithSubscribers", [])
        with self.lock:
            if name in self._budgets:
                raise AwsError(
                    "DuplicateRecordException", f"Error creating budget: {name} - the budget already exists."
                )
            budget = _Budget(_filled_in(settings))
            for one in given:
                _add(budget, one["Notification"], one["Subscribers"])
            budget.tags = {tag["Key"]: tag["Value"] for tag in params.get("ResourceTags", [])}
            self._budgets[name] = budget
        return {}

    def update_budget(self, params: Params) -> Params:
        """Replace the settings of a budget."""
        with self.lock:
            self._find(params["NewBudget"]["BudgetName"]).settings = _filled_in(params["NewBudget"])
        return {}

    def delete_budget(self, params: Params) -> Params:
        """Delete a budget with its notifications."""
        with self.lock:
            self._find(params["BudgetName"])
            del self._budgets[params["BudgetName"]]
        return {}

    def describe_budget(self, params: Params) -> Params:
        """One budget."""
        with self.lock:
            return {"Budget": copy.deepcopy(self._find(params["BudgetName"]).settings)}

    def describe_budgets(self, params: Params) -> Params:
        """All budgets."""
        with self.lock:
            return {"Budgets": [copy.deepcopy(one.settings) for one in self._budgets.values()]}

    def describe_notifications_for_budget(self, params: Params) -> Params:
        """The notifications of a budget."""
        with self.lock:
            return {"Notifications": [dict(one) for one, _ in self._find(params["BudgetName"]).notifications]}

    def describe_subscribers_for_notification(self, params: Params) -> Params:
        """Who is notified."""
        with self.lock:
            budget = self._find(params["BudgetName"])
            return {"Subscribers": [dict(one) for one in _subscribers(budget, params["Notification"])]}

    def create_notification(self, params: Params) -> Params:
        """Add a notification to a budget."""
        with self.lock:
            _add(self._find(params["BudgetName"]), params["Notification"], params["Subscribers"])
        return {}

    def delete_notification(self, params: Params) -> Params:
        """Remove a notification from a budget."""
        with self.lock:
            budget = self._find(params["BudgetName"])
            _subscribers(budget, params["Notification"])
            budget.notifications = [one for one in budget.notifications if not _same(one[0], params["Notification"])]
        return {}

    def list_tags_for_resource(self, params: Params) -> Params:
        """The tags of a budget."""
        with self.lock:
            tags = self._by_arn(params["ResourceARN"]).tags
            return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, params: Params) -> Params:
        """Add tags to a budget."""
        with self.lock:
            tags = self._by_arn(params["ResourceARN"]).tags
            tags |= {tag["Key"]: tag["Value"] for tag in params["ResourceTags"]}
        return {}

    def untag_resource(self, params: Params) -> Params:
        """Remove tags from a budget."""
        with self.lock:
            tags = self._by_arn(params["ResourceARN"]).tags
            for key in params["ResourceTagKeys"]:
                tags.pop(key, None)
        return {}

    def _find(self, name: str) -> _Budget:
        if name not in self._budgets:
            raise AwsError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.", 404)
        return self._budgets[name]

    def _by_arn(self, arn: str) -> _Budget:
        return self._find(arn.rpartition(":budget/")[2])


def _filled_in(settings: Params) -> Params:
    if settings["BudgetType"] != "COST" or "BudgetLimit" not in settings:
        raise AwsError("InvalidParameterException", "the local AWS implements cost budgets with a BudgetLimit only")
    now = utc_now()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    period = {"Start": first, "End": _END, **settings.get("TimePeriod", {})}
    if period["Start"] >= period["End"]:
        raise AwsError("InvalidParameterException", "The start of the time period must be before its end.")
    return {
        "CalculatedSpend": {"ActualSpend": _NOTHING, "ForecastedSpend": _NOTHING},
        **settings,
        "CostTypes": {**_COST_TYPES, **settings.get("CostTypes", {})},
        "TimePeriod": period,
        "LastUpdatedTime": now,
    }


def _add(budget: _Budget, notification: Params, subscribers: list[Params]) -> None:
    """Add a notification; at most 10 e-mail addresses and one SNS topic subscribe it."""
    if any(_same(one, notification) for one, _ in budget.notifications):
        raise AwsError("DuplicateRecordException", "The notification already exists.")
    if len(budget.notifications) >= _MAX_NOTIFICATIONS:
        raise AwsError("CreationLimitExceededException", f"A budget has at most {_MAX_NOTIFICATIONS} notifications.")
    kinds = [one["SubscriptionType"] for one in subscribers]
    if kinds.count("EMAIL") > _MAX_EMAILS or kinds.count("SNS") > _MAX_TOPICS:
        limits = f"{_MAX_EMAILS} e-mail addresses and {_MAX_TOPICS} SNS topic"
        raise AwsError("InvalidParameterException", f"A notification has at most {limits}: {_NOTIFICATIONS}")
    addresses = [one["Address"] for one in subscribers]
    if len(set(addresses)) < len(addresses):
        raise AwsError("DuplicateRecordException", "A subscriber is given twice.")
    stored = {"ThresholdType": "PERCENTAGE", **notification, "NotificationState": "OK"}
    budget.notifications.append((stored, list(subscribers)))


def _subscribers(budget: _Budget, notification: Params) -> list[Params]:
    for one, subscribers in budget.notifications:
        if _same(one, notification):
            return subscribers
    raise AwsError("NotFoundException", "Unable to get the notification: it doesn't exist.", 404)


def _same(one: Params, other: Params) -> bool:
    names = ("NotificationType", "ComparisonOperator", "Threshold")
    kinds = [each.get("ThresholdType", "PERCENTAGE") for each in (one, other)]
    return all(one[name] == other[name] for name in names) and kinds[0] == kinds[1]
