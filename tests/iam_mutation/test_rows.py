"""Requests with placeholders for names: one pipeline's rehearsal says what another pipeline needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from synthesis import CONTAINER, document_of, new_stack

from iam_mutation.mutants import mutants_of
from iam_mutation.mutate import shown
from iam_mutation.programs import Program, program_of
from iam_mutation.requests import Recorded, read, steady, write
from mlops_constructs import Algorithm, Dataset, MLOpsPipeline
from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind

if TYPE_CHECKING:
    from pathlib import Path

    from iam_mutation.pipelines import Pipeline

BUCKET = "arn:aws:s3:::bucket"


@pytest.fixture(scope="module")
def program() -> Program:
    stack = new_stack()
    for id_ in ("iris", "iris-two"):
        MLOpsPipeline(stack, id_, algorithm=Algorithm.from_directory(CONTAINER), dataset=Dataset())
    return program_of(document_of(stack))


@pytest.fixture
def pipelines(program: Program) -> tuple[Pipeline, Pipeline]:
    one, two = sorted(program.pipelines, key=lambda pipeline: len(pipeline.name))
    return one, two


def _model_of(pipeline: Pipeline) -> Recorded:
    path = f"{pipeline.artifacts}/models/{pipeline.name}/{pipeline.name}-HEX/output/model.tar.gz"
    return Recorded(pipeline.role("register-model"), "s3:GetObject", f"arn:aws:s3:::{path}")


def test_names_become_placeholders_and_names_again(pipelines: tuple[Pipeline, Pipeline]) -> None:
    one, two = pipelines
    row = _model_of(one).renamed(one.generic)
    assert row.principal == "{role: register-model}"
    assert row.resource == "arn:aws:s3:::{artifacts}/models/{pipeline}/{pipeline}-HEX/output/model.tar.gz"
    assert row.renamed(one.specific) == _model_of(one)
    assert row.renamed(two.specific) == _model_of(two)


def test_a_request_belongs_to_the_pipeline_that_it_names(
    program: Program, pipelines: tuple[Pipeline, Pipeline]
) -> None:
    for pipeline in pipelines:
        assert program.owner(_model_of(pipeline).line()) is pipeline


def test_a_name_that_a_pipeline_does_not_have_makes_no_request_of_a_row(pipelines: tuple[Pipeline, Pipeline]) -> None:
    row = Recorded("{role: notebook}", "ec2:CreateNetworkInterface", "arn:aws:ec2:::subnet/{subnet}")
    assert not row.renamed(pipelines[0].specific).is_complete


def test_what_one_pipeline_has_shown_the_others_may_have_to_do(
    program: Program, pipelines: tuple[Pipeline, Pipeline]
) -> None:
    one, two = pipelines
    own, others = shown(program, {_model_of(one).renamed(one.generic): {one.label}})
    assert (own, others) == ({_model_of(one)}, {_model_of(two)})


def test_requests_are_the_same_after_a_file(tmp_path: Path) -> None:
    rows = {Recorded("arn:aws:iam::123456789012:role/r", "s3:GetObject", BUCKET, (("s3:prefix", ("a", "b")),)): {"p"}}
    write(tmp_path / "rows", rows)
    assert read(tmp_path / "rows") == rows
    assert read(tmp_path / "none") == {}


def test_each_action_resource_condition_and_value_is_changed() -> None:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": [f"{BUCKET}/a/*", f"{BUCKET}/b"],
        "Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"kms:ViaService": ["s3", "sqs"]}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    mutants = list(mutants_of(Policy.parse("p", PolicyKind.IDENTITY, document)))
    assert [mutant.change.split(" of ")[0].split(" on ")[0] for mutant in mutants] == [
        "drop action s3:GetObject",
        "drop action s3:PutObject",
        f"drop resource {BUCKET}/a/*",
        f"drop resource {BUCKET}/b",
        f"narrow resource {BUCKET}/a/*",
        "drop condition Bool aws:SecureTransport true",
        "flip condition Bool aws:SecureTransport true",
        "drop condition StringEquals kms:ViaService s3,sqs",
        "drop value s3",
        "drop value sqs",
        "flip condition StringEquals kms:ViaService s3,sqs",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:sagemaker:us-east-1:1:model/iris-996e98-dev-Model-a1B2c3D4e5F6", ":model/iris-996e98-dev-Model-ID"),
        ("arn:aws:cloudwatch:us-east-1:1:alarm:iris-ServerErrors-a1B2c3D4e5F6", ":alarm:iris-ServerErrors-ID"),
        ("training-job/iris-996e98-dd75cc4fea77", "training-job/iris-996e98-HEX"),
        ("datasets/iris-996e98/dd75cc4f-0b54-40e8-a413-32aeb038a4aa/request.json", "iris-996e98/ID/request.json"),
        ("arn:aws:s3:::iris-996e98-data-123456789012-us-east-1", ":::iris-996e98-data-123456789012-us-east-1"),
    ],
)
def test_ids_become_words_and_names_stay(text: str, expected: str) -> None:
    assert steady(text).endswith(expected)
