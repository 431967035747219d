"""Corner cases by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.iam.cases import ACCOUNT, KEY, OTHER, ROLE, ROOT, SESSION, Case

if TYPE_CHECKING:
    from collections.abc import Iterator

_OBJECT = "arn:aws:s3:::iris-data/datasets/a.csv"


def corner_cases() -> Iterator[Case]:
    """Give the corner cases; names are stable."""
    yield from _resource_patterns()
    yield from _conditions()
    yield from _principals()


def _case(name: str, **given: Any) -> Case:
    base: Case = {
        "name": name,
        "principal": SESSION,
        "action": "s3:GetObject",
        "resource": _OBJECT,
        "account": ACCOUNT,
        "context": {},
        "identity": [],
        "boundary": None,
        "session": None,
        "resource_policy": None,
    }
    return {**base, **given}


def _policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def _allow(action: str = "s3:GetObject", resource: str | None = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, **({"Resource": resource} if resource else {}), **more}


_NOTHING = _policy(_allow("ecr:BatchGetImage"))


def _resource_patterns() -> Iterator[Case]:
    patterns = {
        "arn:aws:s3:::iris-data/*": _OBJECT,
        "arn:aws:s3:::iris-data/d*s/a.csv": _OBJECT,
        "arn:aws:s3:::iris-data/datasets/?.csv": _OBJECT,
        "arn:aws:s3:::Iris-Data/*": _OBJECT,
        "arn:aws:s3:::iris-data": _OBJECT,
        "arn:aws:s3:::*": "arn:aws:s3:::iris-data/a:b:c",
        "arn:aws:s3:::iris-data/*c": "arn:aws:s3:::iris-data/a:b:c",
        "arn:aws:s3:::iris-data/a?b?c": "arn:aws:s3:::iris-data/a:b:c",
        "arn:aws:s3:*": _OBJECT,
        "arn:aws:s3:*a.csv": _OBJECT,
        "arn:*": _OBJECT,
        "arn:aws:*:::iris-data/*": _OBJECT,
        "arn:aws*:s3:::iris-data/*": _OBJECT,
        "arn:aws:s3:us-east-1::iris-data/*": _OBJECT,
        "arn:aws:s3:::iris-data/${$}x": "arn:aws:s3:::iris-data/$x",
    }
    for number, (pattern, resource) in enumerate(patterns.items()):
        yield _case(f"pattern-{number}", resource=resource, identity=[_policy(_allow(resource=pattern))])
        yield _case(
            f"deny-pattern-{number}",
            resource=resource,
            identity=[_policy(_allow(), {"Effect": "Deny", "Action": "s3:*", "Resource": pattern})],
        )
    old = _policy(_allow(resource="arn:aws:s3:::iris-data/${aws:PrincipalTag/team}"), version="2008-10-17")
    team = {"aws:PrincipalTag/team": "ml"}
    yield _case("old-version-variable", resource="arn:aws:s3:::iris-data/ml", context=team, identity=[old])
    missing = _policy(_allow(resource="arn:aws:s3:::iris-data/x${aws:PrincipalTag/team}"))
    yield _case("variable-missing", resource="arn:aws:s3:::iris-data/x", identity=[missing])
    default = _policy(_allow(resource="arn:aws:s3:::iris-data/${aws:PrincipalTag/team, 'ml'}"))
    yield _case("variable-default", resource="arn:aws:s3:::iris-data/ml", identity=[default])
    yield _case("variable-given", resource="arn:aws:s3:::iris-data/xml", context=team, identity=[missing])
    yield _case(
        "variable-with-star",
        resource="arn:aws:s3:::iris-data/xyz",
        context={"aws:PrincipalTag/team": "*"},
        identity=[missing],
    )
    for action in ("S3:GETOBJECT", "s3:Get*", "s3:Get?bject", "s3:*Object", "*", "s3:PutObject", "s3:GetObjectVersion"):
        yield _case(f"action-{action}", identity=[_policy(_allow(action))])


def _conditions() -> Iterator[Case]:
    tag, keys = "aws:PrincipalTag/team", "aws:TagKeys"
    tries: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("equals-missing", {"StringEquals": {tag: "ml"}}, {}),
        ("not-equals-missing", {"StringNotEquals": {tag: "ml"}}, {}),
        ("not-like-missing", {"StringNotLike": {tag: "m*"}}, {}),
        ("if-exists-missing", {"StringEqualsIfExists": {tag: "ml"}}, {}),
        ("if-exists-other", {"StringEqualsIfExists": {tag: "ml"}}, {tag: "data"}),
        ("not-equals-two", {"StringNotEquals": {tag: ["ml", "data"]}}, {tag: "data"}),
        ("not-equals-two-other", {"StringNotEquals": {tag: ["ml", "data"]}}, {tag: "x"}),
        ("star-in-equals", {"StringEquals": {tag: "m*"}}, {tag: "ml"}),
        ("star-value", {"StringEquals": {tag: "m*"}}, {tag: "m*"}),
        ("literal-star", {"StringLike": {tag: "m${*}"}}, {tag: "ml"}),
        ("literal-star-value", {"StringLike": {tag: "m${*}"}}, {tag: "m*"}),
        ("key-case", {"StringEquals": {"AWS:principaltag/TEAM": "ml"}}, {tag: "ml"}),
        ("value-case", {"StringEquals": {tag: "ML"}}, {tag: "ml"}),
        ("ignore-case", {"StringEqualsIgnoreCase": {tag: "ML"}}, {tag: "ml"}),
        ("two-operators", {"StringEquals": {tag: "ml"}, "Bool": {"aws:SecureTransport": "true"}}, {tag: "ml"}),
        ("null-true", {"Null": {tag: "true"}}, {}),
        ("null-true-there", {"Null": {tag: "true"}}, {tag: "ml"}),
        ("null-false", {"Null": {tag: "false"}}, {}),
        ("null-false-there", {"Null": {tag: "false"}}, {tag: "ml"}),
        ("all-missing", {"ForAllValues:StringEquals": {keys: ["a"]}}, {}),
        ("any-missing", {"ForAnyValue:StringEquals": {keys: ["a"]}}, {}),
        ("any-negated-missing", {"ForAnyValue:StringNotEquals": {keys: ["a"]}}, {}),
        ("all-some", {"ForAllValues:StringEquals": {keys: ["a", "b"]}}, {keys: ["a", "c"]}),
        ("all-all", {"ForAllValues:StringEquals": {keys: ["a", "b"]}}, {keys: ["a", "b"]}),
        ("any-some", {"ForAnyValue:StringEquals": {keys: ["a", "b"]}}, {keys: ["x", "b"]}),
        ("all-negated-some", {"ForAllValues:StringNotEquals": {keys: ["a"]}}, {keys: ["a", "b"]}),
        ("any-negated-some", {"ForAnyValue:StringNotEquals": {keys: ["a"]}}, {keys: ["a", "b"]}),
        ("any-negated-none", {"ForAnyValue:StringNotEquals": {keys: ["a"]}}, {keys: ["a"]}),
        ("all-and-null", {"ForAllValues:StringEquals": {keys: "a"}, "Null": {keys: "false"}}, {}),
        ("variable-missing-negated", {"StringNotEquals": {tag: "${aws:PrincipalTag/no}"}}, {tag: "ml"}),
        ("bool-case", {"Bool": {"aws:SecureTransport": "True"}}, {"aws:SecureTransport": "true"}),
        (
            "date-epoch",
            {"DateLessThan": {"aws:CurrentTime": "1900000000"}},
            {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
        ),
        (
            "date-offset",
            {"DateEquals": {"aws:CurrentTime": "2026-01-01T01:00:00+01:00"}},
            {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
        ),
        ("ip-6", {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, {"aws:SourceIp": "2001:db8::1"}),
        ("ip-6-and-4", {"IpAddress": {"aws:SourceIp": ["2001:db8::/32", "10.0.0.0/8"]}}, {"aws:SourceIp": "10.0.0.1"}),
        ("ip-none", {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {}),
        (
            "arn-segments",
            {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:rule/x"}},
            {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/x"},
        ),
        (
            "arn-equals-wild",
            {"ArnEquals": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}},
            {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/x:y"},
        ),
        (
            "arn-not-an-arn",
            {"ArnLike": {"aws:SourceArn": "*"}},
            {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/x"},
        ),
        ("number-decimal", {"NumericLessThan": {"s3:signatureAge": "10"}}, {"s3:signatureAge": "9.99"}),
        ("number-leading-zero", {"NumericEquals": {"s3:signatureAge": "010"}}, {"s3:signatureAge": "10"}),
        ("number-missing", {"NumericLessThan": {"s3:signatureAge": "10"}}, {}),
        ("number-not-missing", {"NumericNotEquals": {"s3:signatureAge": "10"}}, {}),
    ]
    for name, condition, context in tries:
        # A key of tags belongs to no call of S3, but to those that make things.
        on_tags = keys in str(condition)
        action = "sagemaker:CreateTrainingJob" if on_tags else "s3:GetObject"
        resource = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/iris-1" if on_tags else _OBJECT
        about = {"action": action, "resource": resource, "context": context}
        yield _case(f"condition-{name}", identity=[_policy(_allow(action, Condition=condition))], **about)
        deny = {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}
        yield _case(f"deny-condition-{name}", identity=[_policy(_allow(action), deny)], **about)


def _principals() -> Iterator[Case]:
    principals: dict[str, Any] = {
        "session": {"AWS": SESSION},
        "role": {"AWS": ROLE},
        "root": {"AWS": ROOT},
        "account": {"AWS": ACCOUNT},
        "everybody": "*",
        "every-aws": {"AWS": "*"},
        "other-role": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/serve"},
        "service": {"Service": "events.amazonaws.com"},
    }
    resources = {
        "object": ("s3:GetObject", _OBJECT),
        "key": ("kms:Decrypt", KEY),
        "role": ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/deploy"),
    }
    for kind, (action, resource) in resources.items():
        own = [_policy(_allow(action))]
        limits: dict[str, dict[str, Any]] = {
            "alone": {},
            "with-identity": {"identity": own},
            "under-boundary": {"boundary": _NOTHING},
            "under-session": {"session": _NOTHING},
            "identity-under-boundary": {"identity": own, "boundary": _NOTHING},
            "identity-under-session": {"identity": own, "session": _NOTHING},
            "other-account": {"account": OTHER},
            "other-account-with-identity": {"account": OTHER, "identity": own},
        }
        for who, principal in principals.items():
            statement = _allow(action, None if kind == "role" else "*", Principal=principal)
            for limit, given in limits.items():
                about = {"action": action, "resource": resource, "resource_policy": _policy(statement)}
                yield _case(f"{kind}-{who}-{limit}", **about, **given)
    for name, spared in {"role": [ROLE], "role-and-root": [ROLE, ROOT], "all": [SESSION, ROLE, ROOT]}.items():
        deny = {"Effect": "Deny", "NotPrincipal": {"AWS": spared}, "Action": "s3:*", "Resource": "*"}
        yield _case(f"not-principal-{name}", identity=[_policy(_allow())], resource_policy=_policy(deny))
