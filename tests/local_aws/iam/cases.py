"""Pairs of policies and requests: random ones by seed, and corner cases by hand.

A case is a plain dictionary, so that it can be written down and asked of another engine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

ACCOUNT, OTHER = "123456789012", "210987654321"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/train/s-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/train"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/iris-data"

Case = dict[str, Any]
Value = Callable[[random.Random], "str | list[str]"]


def _one(*values: str) -> Value:
    return lambda rng: rng.choice(values)


def _some(*values: str) -> Value:
    return lambda rng: rng.sample(values, rng.randint(1, min(3, len(values))))


# Kind of each key: which operators may compare it, and with what.
_TEXT, _ARN, _NUMBER, _BOOL, _DATE, _IP, _LIST = "text", "arn", "number", "bool", "date", "ip", "list"
_KEYS: dict[str, tuple[str, Value, tuple[str, ...]]] = {
    "aws:SecureTransport": (_BOOL, _one("true", "false"), ("true", "false", "True")),
    "aws:SourceIp": (
        _IP,
        _one("10.1.2.3", "192.0.2.7", "203.0.113.200"),
        ("10.0.0.0/8", "192.0.2.7", "203.0.113.0/24", "203.0.113.128/25"),
    ),
    "aws:CurrentTime": (
        _DATE,
        _one("2026-01-01T00:00:00Z", "2026-06-30T12:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ),
    "aws:PrincipalTag/team": (_TEXT, _one("ml", "ML", "data", "ml-ops"), ("ml", "ml*", "d?ta", "*", "data")),
    "aws:PrincipalTag/stage": (
        _TEXT,
        _one("ml", "prod"),
        ("${aws:PrincipalTag/team}", "prod", "${aws:PrincipalTag/no, 'prod'}"),
    ),
    "aws:SourceArn": (
        _ARN,
        _one(
            RULE, f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/other", f"arn:aws:events:us-east-1:{OTHER}:rule/iris-data"
        ),
        (RULE, f"arn:aws:events:*:{ACCOUNT}:rule/iris-*", "arn:aws:events:*:*:rule/*", f"arn:aws:events:*:{ACCOUNT}:*"),
    ),
    "aws:SourceAccount": (_TEXT, _one(ACCOUNT, OTHER), (ACCOUNT, OTHER)),
    "s3:prefix": (_TEXT, _one("datasets/a", "models/", "", "data"), ("datasets/*", "models/", "", "*", "d?ta")),
    "s3:max-keys": (_NUMBER, _one("10", "1000"), ("10", "100", "1000")),
    "sagemaker:OutputKmsKeyArn": (_ARN, _one(KEY, KEY.replace("1234abcd", "ffffabcd")), (KEY, "arn:aws:kms:*:*:key/*")),
    "sagemaker:VolumeKmsKeyArn": (
        _ARN,
        _one(KEY, KEY.replace("1234abcd", "ffffabcd")),
        (KEY, "arn:aws:kms:*:*:key/1234*"),
    ),
    "sagemaker:MaxRuntimeInSeconds": (_NUMBER, _one("3600", "86400", "600"), ("3600", "86400", "7200.5")),
    "sagemaker:NetworkIsolation": (_BOOL, _one("true", "false"), ("true", "false")),
    "sagemaker:InterContainerTrafficEncryption": (_BOOL, _one("true", "false"), ("true", "false")),
    "sagemaker:InstanceTypes": (
        _LIST,
        _some("ml.m5.large", "ml.g5.xlarge", "ml.c5.xlarge"),
        ("ml.m5.*", "ml.g5.xlarge", "ml.*", "ml.c5.xlarge"),
    ),
    "sagemaker:VpcSubnets": (_LIST, _some("subnet-1", "subnet-2", "subnet-3"), ("subnet-1", "subnet-2")),
    "aws:TagKeys": (_LIST, _some("team", "cost", "Team"), ("team", "cost")),
    "aws:RequestTag/team": (_TEXT, _one("ml", "data"), ("ml", "${aws:PrincipalTag/team}", "*")),
    "kms:GrantIsForAWSResource": (_BOOL, _one("true", "false"), ("true", "false")),
    "kms:ViaService": (
        _TEXT,
        _one("s3.us-east-1.amazonaws.com", "sagemaker.us-east-1.amazonaws.com"),
        ("s3.*", "sagemaker.us-east-1.amazonaws.com"),
    ),
    "iam:PassedToService": (
        _TEXT,
        _one("sagemaker.amazonaws.com", "lambda.amazonaws.com"),
        ("sagemaker.amazonaws.com", "*.amazonaws.com"),
    ),
    "cloudwatch:namespace": (
        _TEXT,
        _one("/aws/sagemaker/TrainingJobs", "Own"),
        ("/aws/sagemaker/*", "/aws/sagemaker/TrainingJobs"),
    ),
}
_GLOBAL = ["aws:SecureTransport", "aws:SourceIp", "aws:CurrentTime", "aws:PrincipalTag/team", "aws:PrincipalTag/stage"]
_BY_SOURCE = ["aws:SourceArn", "aws:SourceAccount"]

_OPERATORS = {
    _TEXT: [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringEqualsIfExists",
        "StringLikeIfExists",
        "StringNotEqualsIfExists",
    ],
    _ARN: ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "ArnLikeIfExists", "StringLike", "StringEquals"],
    _NUMBER: [
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "NumericLessThanEqualsIfExists",
    ],
    _BOOL: ["Bool", "BoolIfExists"],
    _DATE: [
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "DateGreaterThanIfExists",
    ],
    _IP: ["IpAddress", "NotIpAddress", "IpAddressIfExists"],
    _LIST: [
        "ForAllValues:StringEquals",
        "ForAnyValue:StringEquals",
        "ForAllValues:StringLike",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotEquals",
        "ForAnyValue:StringNotEquals",
        "ForAllValues:StringNotLike",
        "ForAllValues:StringEqualsIfExists",
    ],
}

_TRAINING_KEYS = [key for key in _KEYS if key.startswith("sagemaker:")] + ["aws:TagKeys", "aws:RequestTag/team"]
_ACTIONS: list[tuple[str, tuple[str, ...], list[str]]] = [
    ("s3:GetObject", ("arn:aws:s3:::iris-data/datasets/a.csv", "arn:aws:s3:::iris-data/models/m:1/model.tar.gz"), []),
    ("s3:PutObject", ("arn:aws:s3:::iris-data/models/x", "arn:aws:s3:::other/models/x"), []),
    ("s3:ListBucket", ("arn:aws:s3:::iris-data", "arn:aws:s3:::iris-artifacts"), ["s3:prefix", "s3:max-keys"]),
    (
        "sagemaker:CreateTrainingJob",
        (
            f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/iris-1",
            f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/Iris-2",
        ),
        _TRAINING_KEYS,
    ),
    ("sagemaker:InvokeEndpoint", (f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/iris-production",), []),
    ("kms:Decrypt", (KEY,), ["kms:ViaService"]),
    ("kms:CreateGrant", (KEY,), ["kms:ViaService", "kms:GrantIsForAWSResource"]),
    (
        "iam:PassRole",
        (f"arn:aws:iam::{ACCOUNT}:role/train", f"arn:aws:iam::{ACCOUNT}:role/ml/serve"),
        ["iam:PassedToService"],
    ),
    ("sqs:SendMessage", (f"arn:aws:sqs:us-east-1:{ACCOUNT}:iris-dead-letters",), _BY_SOURCE),
    ("sns:Publish", (f"arn:aws:sns:us-east-1:{ACCOUNT}:iris-news",), _BY_SOURCE),
    ("lambda:InvokeFunction", (f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:iris-train",), _BY_SOURCE),
    ("cloudwatch:PutMetricData", ("*",), ["cloudwatch:namespace"]),
    ("ecr:GetAuthorizationToken", ("*",), []),
    ("ssm:GetParameter", (f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/iris/image",), []),
    ("sts:AssumeRole", (f"arn:aws:iam::{ACCOUNT}:role/deploy",), []),
]
_WITH_POLICY = ("s3", "kms", "sqs", "sns", "lambda", "sts")
_MUST_HAVE_POLICY = ("kms", "sts")


def random_cases(count: int, seed: int = 20261126) -> Iterator[Case]:
    """Make cases from a seed; the same ones each time."""
    rng = random.Random(seed)
    for number in range(count):
        yield _random_case(f"random-{number:04}", rng)


def _random_case(name: str, rng: random.Random) -> Case:
    action, resources, own = rng.choice(_ACTIONS)
    service, resource = action.partition(":")[0], rng.choice(resources)
    keys = [*_GLOBAL, *own]
    asked = rng.sample(keys, min(len(keys), rng.randint(1, 5)))
    context = {key: _KEYS[key][1](rng) for key in asked if rng.random() < 0.8}
    has_policy = service in _MUST_HAVE_POLICY or (service in _WITH_POLICY and rng.random() < 0.6)
    as_service = has_policy and service in ("sqs", "sns", "lambda", "sts") and rng.random() < 0.15

    def document(kind: str, statements: int) -> dict[str, Any]:
        listed = [_statement(rng, kind, action, resource, asked) for _ in range(statements)]
        return {"Version": "2012-10-17", "Statement": listed}

    trust = "trust" if service == "sts" else "resource"
    resource_policy = document(trust, rng.randint(1, 3)) if has_policy else None
    # What a session policy does to a session that is named itself is a corner case.
    may_limit = not as_service and SESSION not in str(resource_policy)
    return {
        "name": name,
        "principal": "events.amazonaws.com" if as_service else SESSION,
        "action": action,
        "resource": resource,
        "account": OTHER if has_policy and rng.random() < 0.1 else ACCOUNT,
        "context": context,
        "identity": [] if as_service else [document("identity", rng.randint(1, 3)) for _ in range(rng.randint(0, 2))],
        "boundary": document("identity", 2) if not as_service and rng.random() < 0.2 else None,
        "session": document("identity", 2) if may_limit and rng.random() < 0.2 else None,
        "resource_policy": resource_policy,
    }


def _statement(rng: random.Random, kind: str, action: str, resource: str, asked: list[str]) -> dict[str, Any]:
    deny = rng.random() < 0.15
    statement: dict[str, Any] = {"Effect": "Deny" if deny else "Allow"}
    if kind in ("resource", "trust"):
        statement["Principal"] = _principal(rng)
    if kind == "trust":
        statement["Action"] = "sts:AssumeRole"
    else:
        negated = "Not" if rng.random() < 0.08 else ""
        statement[f"{negated}Action"] = _actions(rng, action, negated=bool(negated))
        negated = "Not" if rng.random() < 0.08 else ""
        statement[f"{negated}Resource"] = _resources(rng, resource, negated=bool(negated))
    conditions: dict[str, dict[str, Any]] = {}
    for key in rng.sample(asked, rng.choice([0, 0, 1, 1, 2]) if len(asked) > 1 else 0):
        operator, values = _condition(rng, key)
        conditions.setdefault(operator, {})[_spelt(rng, key)] = values
    if conditions:
        statement["Condition"] = conditions
    return statement


def _condition(rng: random.Random, key: str) -> tuple[str, Any]:
    if rng.random() < 0.1:
        return "Null", rng.choice(["true", "false"])
    kind, _, values = _KEYS[key]
    operator = rng.choice(_OPERATORS[kind])
    if "Not" in operator:  # what a missing variable means there is a corner case
        values = tuple(value for value in values if "${aws:PrincipalTag/team}" not in value)
    chosen = rng.sample(values, rng.randint(1, min(2, len(values))))
    return operator, chosen[0] if len(chosen) == 1 else chosen


def _spelt(rng: random.Random, key: str) -> str:
    prefix, slash, tag = key.partition("/")
    return f"{prefix.upper() if rng.random() < 0.1 else prefix}{slash}{tag}"


def _actions(rng: random.Random, action: str, *, negated: bool) -> Any:
    service, _, name = action.partition(":")
    likely = [action, action, f"{service}:*", f"{service}:{name[:3]}*", action.lower(), f"{service}:?{name[1:]}", "*"]
    others = [f"{service}:TagResource", "ecr:BatchGetImage", "logs:PutLogEvents"]
    if negated:
        return rng.choice([others[1], [others[1], others[2]], action, f"{service}:*"])
    return [rng.choice(others), rng.choice(likely)] if rng.random() < 0.3 else rng.choice([*likely, others[1]])


def _resources(rng: random.Random, resource: str, *, negated: bool) -> Any:
    if resource == "*":
        return "*"
    head, tail = resource[:-4], resource[-4:]
    pool = [
        resource,
        resource,
        "*",
        f"{head}*",
        f"{head}?{tail[1:]}",
        f"{resource}x",
        resource.upper().replace("ARN:AWS", "arn:aws", 1),
        f"{resource[: len(resource) // 2 + 8]}*",
        f"{resource[:-1]}${{*}}",
    ]
    if not negated:  # what a missing variable means there is a corner case
        pool.append(f"{head}${{aws:PrincipalTag/team}}")
    return rng.sample(pool, 2) if rng.random() < 0.3 else rng.choice(pool)


def _principal(rng: random.Random) -> Any:
    return rng.choice(
        [
            {"AWS": SESSION},
            {"AWS": ROLE},
            {"AWS": ROLE},
            {"AWS": ROOT},
            {"AWS": ACCOUNT},
            {"AWS": ["arn:aws:iam::123456789012:role/other", ROLE]},
            {"AWS": "arn:aws:iam::123456789012:role/other"},
            {"AWS": "arn:aws:iam::210987654321:root"},
            {"Service": "events.amazonaws.com"},
            {"Service": ["sagemaker.amazonaws.com", "events.amazonaws.com"]},
            {"Service": "sagemaker.amazonaws.com"},
        ]
    )
