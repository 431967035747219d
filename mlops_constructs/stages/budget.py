"""The AWS Budget of a pipeline's endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..provider import budgets_budget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._aws.environment import Environment

# Kind of cost to percentages of the limit.
_NOTIFIED = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))


class BudgetStage(Construct):
    """A budget that counts what the endpoints cost, and notifies people by e-mail.

    It counts what has the tag that the stacks give the endpoints of this pipeline. The account that pays must have
    activated this tag for cost allocation.
    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html

    Attributes:
        budget: The budget.
    """

    def __init__(
        self, scope: Construct, id_: str, *, env: Environment, tag: str, max_monthly_usd: float, emails: Sequence[str]
    ) -> None:
        """Make the budget.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            env: Where it is deployed.
            tag: Key of the tag of the endpoints, whose value is the name of the pipeline.
            max_monthly_usd: What they may cost a month.
            emails: Addresses that are notified.
        """
        super().__init__(scope, id_)
        self.budget = budgets_budget.BudgetsBudget(
            self,
            "budget",
            # Budgets are those of an account, not of a region.
            name=f"{env.name}-{env.region}",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{max_monthly_usd:.2f}",
            limit_unit="USD",
            cost_filter=[budgets_budget.BudgetsBudgetCostFilter(name="TagKeyValue", values=[f"user:{tag}${env.name}"])],
            notification=[
                budgets_budget.BudgetsBudgetNotification(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=list(emails),
                )
                for kind, percent in _NOTIFIED
            ],
        )
