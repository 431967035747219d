"""What a destroy meets first depends on everything else, and may delete only where the pipeline may be destroyed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cdktf import TerraformResource
from synthesis import Synthesized, synth

from mlops_constructs import ABTest, Algorithm

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team@sha256:" + "0" * 64
FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "an image": {"algorithm": Algorithm.from_image(IMAGE)},
    "A/B tests": {"ab_test": ABTest()},
    "tags": {"tags": {"team": "a"}},
    "no notebook": {"notebook": None},
}


def guarding(stack: Synthesized) -> dict[str, Any]:
    return stack.one("aws_lambda_invocation", function_name=f"{stack.pipeline.name}-guard-destroy")


@pytest.mark.parametrize("form", FORMS)
def test_it_depends_on_every_other_resource(form: str) -> None:
    stack = synth(**FORMS[form])
    (own,) = [id_ for id_, one in stack.all("aws_lambda_invocation").items() if one == guarding(stack)]
    others = {f"{kind}.{id_}" for kind, ids in stack.document["resource"].items() for id_ in ids}
    others -= {f"aws_lambda_invocation.{own}"}
    assert set(guarding(stack)["depends_on"]) == others


def test_no_resource_depends_on_it() -> None:
    stack = synth()
    stack.document["resource"]["aws_lambda_invocation"] = {
        id_: one for id_, one in stack.all("aws_lambda_invocation").items() if one["lifecycle_scope"] != "CRUD"
    }
    assert "guarding" not in json.dumps(stack.document["resource"])


def test_it_is_invoked_when_it_is_deleted_too_and_its_input_is_known_at_synth() -> None:
    stack = synth()
    assert guarding(stack)["lifecycle_scope"] == "CRUD"
    assert json.loads(guarding(stack)["input"]) == {"pipeline": stack.pipeline.name, "removal": "retain"}
    assert "triggers" not in guarding(stack)


@pytest.mark.parametrize("form", FORMS)
def test_its_document_names_what_the_pipeline_may_have_left(form: str) -> None:
    stack = synth(**FORMS[form])
    document = stack.function_document("guard_destroy")
    assert document["endpoints"] == [stack.pipeline.production_endpoint, stack.pipeline.dev_endpoint]
    found = {one["name"]: one["stage"][1]["name"] for one in stack.all("aws_codepipeline").values()}
    assert document["pipelines"] == found
    assert document["deletes"] is False


def test_it_only_reads_where_data_is_retained() -> None:
    own = {"logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt", "sqs:SendMessage"}
    own |= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    verbs = {action.partition(":")[2] for action in actions(synth()) - own}
    assert {verb for verb in verbs if not verb.startswith(("Describe", "List", "Get"))} == set()


def test_it_may_delete_only_what_is_the_pipelines_own() -> None:
    stack = synth(removal="destroy")
    name = stack.pipeline.name
    assert json.loads(guarding(stack)["input"])["removal"] == "destroy"
    assert stack.function_document("guard_destroy")["deletes"] is True
    for statement in stack.policy("guard-destroy"):
        for action in listed(statement["Action"]):
            if action.partition(":")[2].startswith(("Delete", "Stop", "Disable", "Deregister")):
                is_own = all(f"{name[:9]}" in one for one in listed(statement["Resource"]))
                assert is_own or "Condition" in statement, action


def test_the_tree_has_no_resource_that_is_made_after_it() -> None:
    pipeline = synth(tags={"team": "a"}).pipeline
    resources = [one for one in pipeline.node.find_all() if isinstance(one, TerraformResource)]
    assert resources[-1] is pipeline.guard.invocation


def actions(stack: Synthesized) -> set[str]:
    return {action for one in stack.policy("guard-destroy") for action in listed(one["Action"])}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
