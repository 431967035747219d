"""Where a pipeline is put: its id, the providers of the stack, cdktf.Aspects, and references of every form."""

from __future__ import annotations

import re
from typing import Any

import cdktf
import jsii
import pytest
from constructs import Construct
from hypothesis import given, settings
from hypothesis import strategies as st
from synthesis import CONTAINER, document_of, new_stack

from mlops_constructs import (
    Algorithm,
    Approval,
    ConfigError,
    Dataset,
    Evaluation,
    EvaluationJob,
    Existing,
    MLOpsPipeline,
    Network,
    Notebook,
    Training,
)
from mlops_constructs._aws.placement import checked, defaults_of
from mlops_constructs.provider import AwsProvider, provider, s3_bucket

NAME = r"[A-Za-z_][\w-]*"


def make(scope: Construct, id_: Any = "churn", **options: Any) -> MLOpsPipeline:
    given_ = {"algorithm": Algorithm.from_directory(CONTAINER), "dataset": Dataset(), **options}
    return MLOpsPipeline(scope, id_, **given_)


def refused(scope: Construct, id_: Any = "churn", **options: Any) -> list[str]:
    """Give the problems of a pipeline that is not made; nothing may be left in the stack."""
    before = len(scope.node.children)
    with pytest.raises(ConfigError) as caught:
        make(scope, id_, **options)
    assert len(scope.node.children) == before
    return [problem.field for problem in caught.value.problems]


@pytest.mark.parametrize("id_", ["2024-churn", "9lives", "-churn", ".-x", "/x", "", " ", None, 5, "${var.x}"])
def test_an_id_that_terraform_would_refuse_is_refused_at_synth(id_: Any) -> None:
    assert refused(new_stack(), id_) == ["id_"]


def test_an_id_below_a_construct_counts_with_it() -> None:
    stack = new_stack()
    assert refused(Construct(stack, "2024"), "churn") == ["id_"]
    assert refused(Construct(stack, "Default"), "2024") == ["id_"]
    make(Construct(stack, "team"), "2024")
    names = [name for some in document_of(stack)["resource"].values() for name in some]
    assert all(re.fullmatch(NAME, name) for name in names)


@given(st.text(min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_every_id_that_is_taken_gives_names_that_terraform_takes(id_: str) -> None:
    stack = new_stack()
    arguments = {**defaults_of(MLOpsPipeline), "algorithm": Algorithm.from_directory(CONTAINER), "dataset": Dataset()}
    try:
        checked(stack, id_, arguments)
    except ConfigError:
        return
    s3_bucket.S3Bucket(Construct(stack, id_), "storage")
    (name,) = document_of(stack)["resource"]["aws_s3_bucket"]
    assert re.fullmatch(NAME, name)


def test_mistakes_of_place_and_arguments_are_told_together() -> None:
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "s")
    AwsProvider(stack, "aws", region="cn-north-1")
    fields = ["id_", "provider.region", "training.instance_count", "tags"]
    assert refused(stack, "2024", training=Training(instance_count=0), tags=None) == fields


def test_a_provider_with_an_alias_is_not_the_pipeline_s() -> None:
    stack = new_stack()
    tags = [provider.AwsProviderDefaultTags(tags={"Team": "x", "team": "y"})]
    AwsProvider(stack, "china", alias="china", region="cn-north-1", default_tags=tags)
    make(stack)


def test_default_tags_and_tags_that_differ_only_in_case_are_refused() -> None:
    stack = cdktf.TerraformStack(cdktf.Testing.app(), "s")
    tags = [provider.AwsProviderDefaultTags(tags={"Team": "x"}), provider.AwsProviderDefaultTags()]
    AwsProvider(stack, "aws", region="eu-west-1", default_tags=tags)
    assert refused(stack, tags={"team": "y"}) == ["tags['team']"]
    make(stack, tags={"Team": "y"})


@jsii.implements(cdktf.IAspect)
class Governance:
    """Wants an owner on every resource, in lower case, and another provider."""

    def __init__(self, other: AwsProvider) -> None:
        self.without_owner: list[str] = []
        self._other = other

    def visit(self, node: Any) -> None:
        if hasattr(node, "provider"):
            node.provider = self._other
        if isinstance(node, cdktf.TerraformResource) and hasattr(node, "tags_input"):
            if node.terraform_resource_type != "aws_s3_object" and "owner" not in (node.tags_input or {}):
                self.without_owner.append(node.node.path)
            node.tags = {**(node.tags_input or {}), "owner": "ml-team"}


def test_aspects_see_and_change_tags_and_providers() -> None:
    stack = new_stack()
    aspect = Governance(AwsProvider(stack, "eu", alias="eu", region="eu-west-1"))
    make(stack, tags={"owner": "ML-Team", "stage": "test"})
    cdktf.Aspects.of(stack).add(aspect)
    document = document_of(stack)
    assert aspect.without_owner == []
    resources = [one for some in document["resource"].values() for one in some.values()]
    assert {one["tags"]["owner"] for one in resources if "tags" in one} == {"ml-team"}
    assert {one["provider"] for one in resources} == {"aws.eu"}
    read = [one for some in document["data"].values() for one in some.values()]
    assert {one["provider"] for one in read} == {"aws.eu"}


# Field to a part with a reference there.
ALGORITHMS: dict[str, Any] = {
    "algorithm.image_uri": Algorithm.from_image,
    "algorithm.codecommit_repository": Algorithm.from_codecommit,
    "algorithm.ecr_repository_name": lambda one: Algorithm.from_codecommit("own", ecr_repository_name=one),
    "algorithm.git.connection_arn": lambda one: Algorithm.from_connection(one, "team/own"),
}
FORMS = {
    "token": lambda one: one.string_value,
    "token in a text": lambda one: f"a-{one.string_value}",
    "entry": lambda one: cdktf.Fn.element(one.list_value, 0),
    "function": lambda one: cdktf.Fn.merge([one.value]),
    "expression": lambda one: "${var.one}",
}
NO_STRINGS = {
    "number": lambda one: one.number_value,
    "list": lambda one: one.list_value,
    "boolean": lambda one: one.boolean_value,
    "any": lambda one: one.value,
    "map": lambda one: cdktf.Token.as_string_map(one.value),
    "construct": lambda one: one,
    "item of a list": lambda one: one.list_value[0],
    "number in a text": lambda one: f"a-{one.number_value}",
    "quoted": lambda one: '${var.one["a"]}',
}


def everywhere(one: Any) -> dict[str, Any]:
    """Give options with the reference in every place at once, except in the algorithm."""
    return {
        "dataset": Dataset.from_bucket(one, kms_key_arn=one, input_buckets=[one]),
        "existing": Existing(kms_key_arn=one, artifact_bucket=one, dead_letter_queue_arn=one, roles={"training": one}),
        "approval": Approval(topic_arn=one),
        "permissions_boundary_arn": one,
        "network": Network(subnet_ids=[one, "subnet-2"], security_group_ids=["sg-1", one]),
        "notebook": Notebook(
            subnet_id=one,
            security_group_ids=["sg-1", one],
            repository="https://example.org/team/notebooks",
            repository_secret_arn=one,
        ),
        "evaluation": Evaluation(job=EvaluationJob(image_uri=one)),
    }


PLACES = {
    *("network.subnet_ids[0]", "network.security_group_ids[1]", "evaluation.job.image_uri", "approval.topic_arn"),
    *("dataset.bucket_name", "dataset.kms_key_arn", "dataset.input_buckets[0]", "permissions_boundary_arn"),
    *("existing.kms_key_arn", "existing.artifact_bucket", "existing.dead_letter_queue_arn"),
    *("existing.roles['training']", "notebook.subnet_id", "notebook.security_group_ids[1]"),
    "notebook.repository_secret_arn",
}


def variable(stack: cdktf.TerraformStack) -> Any:
    """Make what every reference refers to."""
    return cdktf.TerraformVariable(stack, "one", type="any")


@pytest.mark.parametrize("form", FORMS)
def test_a_reference_that_is_a_string_is_taken_everywhere(form: str) -> None:
    stack = new_stack()
    make(stack, **everywhere(FORMS[form](variable(stack))))
    assert document_of(stack)


@pytest.mark.parametrize("form", ["token", "expression"])
def test_an_algorithm_is_taken_by_reference(form: str) -> None:
    stack = new_stack()
    one = FORMS[form](variable(stack))
    for number, algorithm in enumerate(ALGORITHMS.values()):
        make(stack, f"p{number}", algorithm=algorithm(one))
    assert document_of(stack)


@pytest.mark.parametrize("form", NO_STRINGS)
def test_a_reference_that_no_string_can_hold_is_refused_by_its_place(form: str) -> None:
    stack = new_stack()
    one = NO_STRINGS[form](variable(stack))
    assert set(refused(stack, **everywhere(one))) == PLACES
    assert [refused(stack, algorithm=algorithm(one)) for algorithm in ALGORITHMS.values()] == [
        [at] for at in ALGORITHMS
    ]


def test_a_list_of_references_may_be_one_reference() -> None:
    stack = new_stack()
    ids = cdktf.TerraformVariable(stack, "ids", type="list(string)").list_value
    make(stack, "one", network=Network(subnet_ids=ids, security_group_ids=ids))
    make(stack, "two", notebook=Notebook(subnet_id="subnet-1", security_group_ids=ids))
    assert document_of(stack)
    assert refused(stack, "three", network=Network(subnet_ids=[*ids, "subnet-1"], security_group_ids=["sg-1"])) == [
        "network.subnet_ids[0]"
    ]
    assert refused(stack, "four", dataset=Dataset(input_buckets=ids)) == ["dataset.input_buckets[0]"]


@pytest.mark.parametrize("tags", ["merge", "value", "map"])
def test_tags_that_only_terraform_knows_are_refused(tags: str) -> None:
    stack = new_stack()
    one = cdktf.TerraformVariable(stack, "tags", type="map(string)")
    token = {"merge": cdktf.Fn.merge([{"a": "b"}]), "value": one.value, "map": cdktf.Token.as_string_map(one.value)}[
        tags
    ]
    assert refused(stack, tags=token) == ["tags"]


def test_an_expression_of_terraform_in_a_text_is_refused_and_a_dollar_is_not() -> None:
    stack = new_stack()
    for value in ("${var.region}", "s3://${aws_s3_bucket.b.id}/x", "${upper(local.x)}"):
        assert refused(stack, training=Training(environment={"A": value})) == ["training.environment['A']"]
    make(stack, training=Training(environment={"A": "${HOME}/x $${var.x} 5$"}, hyperparameters={"x": "${x} %{y}"}))


def test_a_folder_in_a_mapping_is_relative_to_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONTAINER.parent)
    values = {"algorithm": {"directory": "container"}, "dataset": {}}
    made = MLOpsPipeline.from_dict(new_stack(), "iris", values)
    assert made.storage.data_bucket is not None
