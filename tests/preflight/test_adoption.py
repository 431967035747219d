"""What an apply that was killed has left, and Terraform can import."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from preflight import edge
from preflight.synthesized_stacks import IDENTITY, written

from mlops_constructs.doctor import Finding
from mlops_constructs.preflight import TerraformState
from mlops_constructs.preflight.adoption import Existing, existing, import_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "Everything at rest of the MLOps pipeline p"
KEYS = {
    "aws_kms_key": {"k": {"description": KEY}},
    "aws_kms_alias": {"a": {"name": "alias/p", "target_key_id": "${aws_kms_key.k.key_id}"}},
}


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def found(folder: Path, made: dict[str, Any], *in_state: tuple[str, str, str], client: Any = None) -> list[Any]:
    """What is found of a stack, whose state has some resources: type, name and id."""
    stack = written(folder, made)
    resources = [
        {"mode": "managed", "type": type_, "name": name, "instances": [{"attributes": {"id": id_}}]}
        for type_, name, id_ in in_state
    ]
    (folder / "state").write_text(json.dumps({"resources": resources}))
    return list(existing(client or boto3.client, stack, IDENTITY, TerraformState(stack, folder / "state")))


def make_key(description: str = KEY) -> str:
    return str(boto3.client("kms").create_key(Description=description)["KeyMetadata"]["KeyId"])


def test_a_name_that_exists_is_imported_unless_the_state_has_it(tmp_path: Path) -> None:
    made = {"aws_cloudwatch_log_group": {"g": {"name": "/p"}, "h": {"name": "/p/longer"}, "i": {"name": "/p/lon"}}}
    for name in ("/p", "/p/longer"):
        boto3.client("logs").create_log_group(logGroupName=name)
    group = "aws_cloudwatch_log_group"
    assert found(tmp_path, made) == [Existing(f"{group}.g", "/p"), Existing(f"{group}.h", "/p/longer")]
    assert found(tmp_path, made, (group, "g", "/p")) == [Existing(f"{group}.h", "/p/longer")]


def test_a_queue_is_imported_by_its_url(tmp_path: Path) -> None:
    url = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert found(tmp_path, {"aws_sqs_queue": {"q": {"name": "q"}}}) == [Existing("aws_sqs_queue.q", url)]


def test_a_budget_is_imported_with_its_account(tmp_path: Path) -> None:
    boto3.client("budgets").create_budget(
        AccountId=IDENTITY.account_id,
        Budget={
            "BudgetName": "b",
            "BudgetLimit": {"Amount": "1", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
    )
    made = {"aws_budgets_budget": {"b": {"name": "b"}, "c": {"name": "c"}}}
    assert found(tmp_path, made) == [Existing("aws_budgets_budget.b", f"{IDENTITY.account_id}:b")]


def test_what_may_not_be_looked_up_is_told(tmp_path: Path) -> None:
    session = edge.session()
    edge.on(session, "iam", edge.refused_in_xml("AccessDenied"))
    (finding,) = found(tmp_path, {"aws_iam_role": {"r": {"name": "r"}}}, client=session.client)
    assert (finding.state, "Allow this identity iam:GetRole" in finding.remedy) == ("warning", True)


def test_a_key_is_found_by_its_alias(tmp_path: Path) -> None:
    key = make_key("of another text")
    boto3.client("kms").create_alias(AliasName="alias/p", TargetKeyId=key)
    assert Existing("aws_kms_key.k", key) in found(tmp_path, KEYS)


def test_a_key_without_an_alias_is_found_by_its_description_and_older_ones_are_told(tmp_path: Path) -> None:
    make_key("another text")
    old, new = make_key(), make_key()
    imported, finding = found(tmp_path, KEYS)
    assert imported in (Existing("aws_kms_key.k", old), Existing("aws_kms_key.k", new))
    assert isinstance(finding, Finding)
    assert (
        finding.remedy == f"Delete it then: aws kms schedule-key-deletion --key-id {old if imported.id == new else new}"
    )


def test_a_key_that_is_in_the_state_is_not_imported(tmp_path: Path) -> None:
    key = make_key()
    boto3.client("kms").create_alias(AliasName="alias/p", TargetKeyId=key)
    assert found(tmp_path, KEYS, ("aws_kms_key", "k", key), ("aws_kms_alias", "a", "alias/p")) == []


def test_a_state_with_another_key_than_what_exists_uses(tmp_path: Path) -> None:
    used, managed = make_key(), make_key()
    boto3.client("kms").create_alias(AliasName="alias/p", TargetKeyId=used)
    finding, alias = found(tmp_path, KEYS, ("aws_kms_key", "k", managed))
    assert alias == Existing("aws_kms_alias.a", "alias/p")
    assert finding.detail == f"the state has the key {managed}, but what exists uses {used}"
    assert finding.remedy == "Do `terraform state rm aws_kms_key.k`, and run this again."


def test_the_document_has_import_blocks() -> None:
    assert json.loads(import_document([Existing("aws_iam_role.r", "name")])) == {
        "import": [{"to": "aws_iam_role.r", "id": "name"}]
    }
