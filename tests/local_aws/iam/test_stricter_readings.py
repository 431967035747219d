"""Where AWS's pages leave a question open, the reading that denies."""

from __future__ import annotations

from typing import Any

import pytest
from local_aws.iam.cases import ACCOUNT, ROLE, ROOT, SESSION
from local_aws.iam.judging import judge

_OBJECT = "arn:aws:s3:::iris-data/a.csv"
_ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def _verdict(*identity: dict[str, Any], resource_policy: list[dict[str, Any]] | None = None, **given: Any) -> str:
    case = {
        "principal": SESSION,
        "action": "s3:GetObject",
        "resource": _OBJECT,
        "account": ACCOUNT,
        "context": {},
        "identity": [_document(identity)],
        "boundary": None,
        "session": None,
        "resource_policy": _document(resource_policy) if resource_policy else None,
        **given,
    }
    return judge(case).verdict.value


def _document(statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _other_than(effect: str) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:*", "NotResource": "arn:aws:s3:::iris-data/${aws:PrincipalTag/team}"}


@pytest.mark.parametrize(("team", "verdict"), [({}, "implicit deny"), ({"aws:PrincipalTag/team": "ml"}, "allowed")])
def test_an_allow_of_other_resources_than_one_that_is_not_known_does_not_apply(team, verdict):
    assert _verdict(_other_than("Allow"), context=team) == verdict


@pytest.mark.parametrize(("team", "verdict"), [({}, "explicit deny"), ({"aws:PrincipalTag/team": "a.csv"}, "allowed")])
def test_a_deny_of_other_resources_than_one_that_is_not_known_spares_nothing(team, verdict):
    assert _verdict(_ALLOW, _other_than("Deny"), context=team) == verdict


@pytest.mark.parametrize(
    ("spared", "verdict"),
    [
        ([SESSION], "explicit deny"),
        ([SESSION, ROOT], "explicit deny"),
        ([SESSION, ROLE], "explicit deny"),
        ([ROLE, ROOT], "explicit deny"),
        ([SESSION, ROLE, ROOT], "allowed"),
    ],
)
def test_a_session_is_spared_by_its_own_name_its_role_and_its_account_together(spared, verdict):
    deny = {"Effect": "Deny", "NotPrincipal": {"AWS": spared}, "Action": "s3:*", "Resource": "*"}

    assert _verdict(_ALLOW, resource_policy=[deny]) == verdict


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals"])
def test_several_values_under_an_operator_for_one_are_the_worse_for_the_caller(operator):
    condition = {operator: {"aws:PrincipalTag/team": ["a", "c"]}}
    several = {"aws:PrincipalTag/team": ["a", "b"]}

    assert _verdict({**_ALLOW, "Condition": condition}, context=several) == "implicit deny"
    assert _verdict(_ALLOW, {**_ALLOW, "Effect": "Deny", "Condition": condition}, context=several) == "explicit deny"


@pytest.mark.parametrize(("resource", "verdict"), [("a*.csv", "allowed"), ("ab.csv", "implicit deny")])
def test_a_star_that_a_variable_writes_is_a_star_and_nothing_else(resource, verdict):
    literal = {**_ALLOW, "Resource": "arn:aws:s3:::iris-data/a${*}.csv"}

    assert _verdict(literal, resource=f"arn:aws:s3:::iris-data/{resource}") == verdict


def test_an_arn_of_fewer_segments_stands_for_nothing():
    assert _verdict({**_ALLOW, "Resource": "arn:aws:s3"}) == "implicit deny"
    assert _verdict({**_ALLOW, "Resource": "arn:aws:s3:*"}) == "allowed"
