"""The policies of main.py grant what is needed, and nothing that nothing notices."""

from __future__ import annotations

import pytest

from iam_mutation.examples import synthesized
from iam_mutation.exceptions import ALLOWED, SURVIVORS
from iam_mutation.mutants import mutants_of
from iam_mutation.mutate import RECORDED, Outcome, mutate
from iam_mutation.requests import Recorded, read, steady
from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind

BUCKET = "arn:aws:s3:::bucket"


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return mutate(synthesized("main"), read(RECORDED))


def test_every_recorded_and_tabled_request_is_allowed(outcome: Outcome) -> None:
    assert [one.line() for one in outcome.denied] == []


def test_every_call_of_the_negative_corpus_is_denied(outcome: Outcome) -> None:
    assert outcome.calls >= 400
    assert [one.line() for one in outcome.allowed] == []


def test_every_change_of_a_policy_is_noticed(outcome: Outcome) -> None:
    assert outcome.tried > 500
    assert [survivor for survivor in outcome.survivors if not SURVIVORS.reason(survivor)] == []


def test_every_exception_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in (*ALLOWED.reasons(), *SURVIVORS.reasons()))


def test_each_action_resource_and_condition_is_changed() -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": [f"{BUCKET}/a/*", f"{BUCKET}/b"],
        "Condition": {"Bool": {"aws:SecureTransport": "true"}},
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
    ]


def test_a_recorded_request_is_the_same_after_a_line_of_a_file() -> None:
    one = Recorded("arn:aws:iam::123456789012:role/r", "s3:GetObject", f"{BUCKET}/a", (("s3:prefix", ("a", "b")),))
    assert Recorded.parse(one.line()) == one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:sagemaker:us-east-1:123456789012:model/iris-996e98-dev-Model-a1B2c3D4e5F6", None),
        ("training-job/iris-996e98-dd75cc4fea77", "training-job/iris-996e98-HEX"),
        ("datasets/iris-996e98/dd75cc4f-0b54-40e8-a413-32aeb038a4aa/request.json", None),
        (
            "arn:aws:s3:::iris-996e98-data-123456789012-us-east-1",
            "arn:aws:s3:::iris-996e98-data-123456789012-us-east-1",
        ),
    ],
)
def test_ids_become_words_and_names_stay(text: str, expected: str | None) -> None:
    if expected is None:
        assert "ID" in steady(text)
        assert text.split("/")[0] in steady(text)
    else:
        assert steady(text) == expected
