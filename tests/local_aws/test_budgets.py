"""Budgets keep their settings, notifications and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_container import local_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "iris-us-east-1"
RULES: list[dict[str, Any]] = [
    {
        "NotificationType": kind,
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": percent,
        "ThresholdType": "PERCENTAGE",
    }
    for kind, percent in (("ACTUAL", 80.0), ("FORECASTED", 100.0))
]
PEOPLE = [{"SubscriptionType": "EMAIL", "Address": "lead@example.org"}]
BUDGET: dict[str, Any] = {
    "BudgetName": NAME,
    "BudgetType": "COST",
    "TimeUnit": "MONTHLY",
    "BudgetLimit": {"Amount": "500.00", "Unit": "USD"},
    "CostFilters": {"TagKeyValue": ["user:mlops:pipeline$iris"]},
}


@pytest.fixture(scope="module")
def budgets() -> Iterator[tuple[Any, dict[str, str]]]:
    with local_aws() as aws:
        yield aws.client("budgets"), {"AccountId": aws.account_id}


def test_a_budget_from_its_creation_to_its_end(budgets: tuple[Any, dict[str, str]]) -> None:
    client, account = budgets
    with_people = [{"Notification": rule, "Subscribers": PEOPLE} for rule in RULES]
    client.create_budget(
        **account,
        Budget=BUDGET,
        NotificationsWithSubscribers=with_people,
        ResourceTags=[{"Key": "team", "Value": "x"}],
    )
    named = {**account, "BudgetName": NAME}
    found = client.describe_budget(**named)["Budget"]
    assert {key: found[key] for key in BUDGET} == BUDGET
    assert found["CostTypes"]["IncludeTax"]
    assert found["TimePeriod"]["Start"] < found["TimePeriod"]["End"]
    notifications = client.describe_notifications_for_budget(**named)["Notifications"]
    assert [one["Threshold"] for one in notifications] == [80.0, 100.0]
    people = client.describe_subscribers_for_notification(**named, Notification=notifications[1])["Subscribers"]
    assert people == PEOPLE

    client.update_budget(**account, NewBudget={**BUDGET, "BudgetLimit": {"Amount": "900.00", "Unit": "USD"}})
    assert client.describe_budget(**named)["Budget"]["BudgetLimit"]["Amount"] == "900.00"
    client.delete_notification(**named, Notification=RULES[0])
    assert len(client.describe_notifications_for_budget(**named)["Notifications"]) == 1

    arn = f"arn:aws:budgets::{account['AccountId']}:budget/{NAME}"
    client.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "stage", "Value": "y"}])
    client.untag_resource(ResourceARN=arn, ResourceTagKeys=["team"])
    assert client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "stage", "Value": "y"}]

    client.delete_budget(**named)
    assert client.describe_budgets(**account)["Budgets"] == []
    with pytest.raises(client.exceptions.NotFoundException):
        client.describe_budget(**named)
