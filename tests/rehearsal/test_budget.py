"""Terraform makes, changes and destroys the budget of an example, and plans no change in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from local_aws.tiny_container import local_aws
from synthesized_programs import stack_of

from mlops_constructs.local_aws.processes import ChildProcesses
from mlops_constructs.rehearsal.leftovers import leftovers
from mlops_constructs.rehearsal.terraform import Terraform, terraform_environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform


def write_stack(folder: Path, limit: str) -> Path:
    """The stack of examples/evaluated with nothing but its budget, of another limit."""
    document = json.loads((stack_of("examples/evaluated/main.py") / "cdk.tf.json").read_text())
    (budget,) = document["resource"]["aws_budgets_budget"].values()
    budget["limit_amount"] = limit
    document["resource"] = {"aws_budgets_budget": document["resource"]["aws_budgets_budget"]}
    document.pop("output", None)
    folder.mkdir(exist_ok=True)
    (folder / "cdk.tf.json").write_text(json.dumps(document))
    return folder


def test_a_budget_is_made_changed_and_destroyed(tmp_path: Path) -> None:
    processes = ChildProcesses()
    with local_aws() as aws:
        environment = terraform_environment(aws.url, aws.region, tmp_path)
        terraform = Terraform(tmp_path / "work", environment, processes, lambda event: None)
        try:
            terraform.prepare(write_stack(tmp_path / "stack", "500.00"))
            terraform.init()
            terraform.apply()
            assert terraform.drift() == []
            (made,) = aws.client("budgets").describe_budgets(AccountId=aws.account_id)["Budgets"]
            assert float(made["BudgetLimit"]["Amount"]) == 500
            write_stack(tmp_path / "work", "750.00")
            terraform.apply()
            assert terraform.drift() == []
            named = {"AccountId": aws.account_id, "BudgetName": made["BudgetName"]}
            changed = aws.client("budgets").describe_budget(**named)["Budget"]["BudgetLimit"]
            assert float(changed["Amount"]) == 750
            notified = aws.client("budgets").describe_notifications_for_budget(**named)["Notifications"]
            assert sorted(one["Threshold"] for one in notified) == [80.0, 100.0, 100.0]
            assert [one for one in leftovers(aws.client) if one.startswith("budget ")] != []
            terraform.destroy()
            assert leftovers(aws.client) == []
        finally:
            terraform.close()
            processes.close()
