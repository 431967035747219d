"""Reading policies."""

from __future__ import annotations

import json

import pytest

from mlops_constructs.local_aws.iam.documents import Policy, PolicyError, PolicyKind

_ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def _read(*statements: dict, kind: PolicyKind = PolicyKind.IDENTITY) -> Policy:
    return Policy.parse("permissions", kind, {"Version": "2012-10-17", "Statement": list(statements)})


def test_a_policy_is_read_from_json_text():
    read = Policy.parse("permissions", PolicyKind.IDENTITY, json.dumps({"Version": "2012-10-17", "Statement": _ALLOW}))

    assert read == _read(_ALLOW)


def test_a_statement_is_called_by_its_sid_or_by_its_number():
    read = _read({**_ALLOW, "Sid": "Read"}, _ALLOW)

    assert [statement.label for statement in read.statements] == ["Read", "statement 2"]


@pytest.mark.parametrize(
    ("statement", "kind", "problem"),
    [
        ({**_ALLOW, "Effect": "allow"}, PolicyKind.IDENTITY, "Effect must be Allow or Deny"),
        ({**_ALLOW, "Actions": "*"}, PolicyKind.IDENTITY, "no such element: Actions"),
        ({"Effect": "Allow", "Resource": "*"}, PolicyKind.IDENTITY, "neither Action nor NotAction"),
        ({"Effect": "Allow", "Action": "*"}, PolicyKind.IDENTITY, "neither Resource nor NotResource"),
        ({**_ALLOW, "NotAction": "*"}, PolicyKind.IDENTITY, "both Action and NotAction"),
        ({**_ALLOW, "Resource": "iris-data/*"}, PolicyKind.IDENTITY, "must be an ARN or '\\*'"),
        ({**_ALLOW, "Resource": []}, PolicyKind.IDENTITY, "must be a string or a list of strings"),
        ({**_ALLOW, "Principal": "*"}, PolicyKind.IDENTITY, "cannot have a principal"),
        (_ALLOW, PolicyKind.RESOURCE, "must have one of Principal and NotPrincipal"),
        ({**_ALLOW, "NotPrincipal": "*"}, PolicyKind.RESOURCE, "NotPrincipal is allowed with Deny only"),
        ({**_ALLOW, "Principal": {"aws": "*"}}, PolicyKind.RESOURCE, "no such type of principal: aws"),
        ({**_ALLOW, "Principal": "*"}, PolicyKind.TRUST, "a trust policy has no Resource"),
        ({**_ALLOW, "Condition": {"StringEqual": {"a:b": "c"}}}, PolicyKind.IDENTITY, "no such condition operator"),
        ({**_ALLOW, "Condition": {"NullIfExists": {"a:b": "true"}}}, PolicyKind.IDENTITY, "no such condition operator"),
        ({**_ALLOW, "Condition": {"Bool": {"a:b": "yes"}}}, PolicyKind.IDENTITY, "cannot compare with 'yes'"),
        ({**_ALLOW, "Condition": {"NumericEquals": {"a:b": "x"}}}, PolicyKind.IDENTITY, "cannot compare with 'x'"),
        ({**_ALLOW, "Condition": {"IpAddress": {"a:b": "10.0.0"}}}, PolicyKind.IDENTITY, "cannot compare with"),
    ],
)
def test_a_policy_that_breaks_the_grammar_is_refused(statement, kind, problem):
    with pytest.raises(PolicyError, match=problem):
        _read(statement, kind=kind)


@pytest.mark.parametrize("document", ["{", "[]", '{"Version": "2012-10-17"}'])
def test_what_is_no_policy_is_refused(document):
    with pytest.raises(PolicyError, match="policy permissions"):
        Policy.parse("permissions", PolicyKind.IDENTITY, document)


def test_an_unknown_version_is_refused():
    with pytest.raises(PolicyError, match="Version must be one of"):
        Policy.parse("permissions", PolicyKind.IDENTITY, {"Version": "2026-01-01", "Statement": _ALLOW})
