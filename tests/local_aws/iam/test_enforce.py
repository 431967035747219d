"""Calls held against the policies of an account, and AWS's words for a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import Loader

from mlops_constructs.local_aws.iam.calls import Call, NoFacts, Site
from mlops_constructs.local_aws.iam.decision import Verdict
from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind
from mlops_constructs.local_aws.iam.enforce import Answer, Authorizer, ResourceSide, error_of
from mlops_constructs.local_aws.iam.evaluate import Policies
from mlops_constructs.local_aws.iam.request import Context, Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCOUNT = "123456789012"
_SITE = Site("aws", "us-east-1", _ACCOUNT)
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/ml/train"
_SESSION = Principal.role_session(_ROLE, "s-1")
_WHO = f"User: arn:aws:sts::{_ACCOUNT}:assumed-role/train/s-1 is not authorized to perform: "


class _Account:
    """An account of one role, with the policies that a test gives it."""

    def __init__(self, *, resource: Mapping[str, Any] | None = None, **own: Any) -> None:
        self._resource, self._own = resource, own

    def of_principal(self, principal: Principal) -> Policies:
        identity, boundary, session = (
            _policy(PolicyKind[kind], self._own[kind.lower()]) if kind.lower() in self._own else None
            for kind in ("IDENTITY", "BOUNDARY", "SESSION")
        )
        return Policies(
            identity=(identity,) if identity else (), boundary=boundary, session=(session,) if session else None
        )

    def of_resource(self, action: str, resource: str) -> ResourceSide:
        kind = PolicyKind.TRUST if action == "sts:AssumeRole" else PolicyKind.RESOURCE
        return ResourceSide(account=_ACCOUNT, policy=_policy(kind, self._resource) if self._resource else None)


def _policy(kind: PolicyKind, statements: Any) -> Policy:
    return Policy.parse("permissions", kind, {"Version": "2012-10-17", "Statement": statements})


def _allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _ask(account: _Account, service: str, operation: str, principal: Principal = _SESSION, **params: Any) -> Answer:
    context = Context({"aws:SecureTransport": "true"})
    return Authorizer(account, NoFacts()).authorize(principal, Call(service, operation, params, _SITE, context))


def _refusal(answer: Answer) -> str:
    assert answer.denied is not None
    return answer.denied.message()


def test_an_allowed_call_has_no_refusal():
    answer = _ask(_Account(identity=_allow("ssm:GetParameter")), "ssm", "GetParameter", Name="/iris")

    assert answer.denied is None
    assert [str(source) for source in answer.decisions[0].by] == ["identity-based policy permissions, statement 1"]
    with pytest.raises(ValueError, match="no message"):
        answer.decisions[0].message()


_PARAMETER = f"arn:aws:ssm:us-east-1:{_ACCOUNT}:parameter/iris"
_DENY = {"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}
_GET = "ssm:GetParameter"


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        ({}, f"because no identity-based policy allows the {_GET} action"),
        (
            {"identity": _allow("*"), "boundary": _allow("s3:*")},
            f"because no permissions boundary allows the {_GET} action",
        ),
        ({"identity": _allow("*"), "session": _allow("s3:*")}, f"because no session policy allows the {_GET} action"),
        ({"identity": _DENY}, "with an explicit deny in an identity-based policy"),
        ({"identity": _allow("*"), "boundary": _DENY}, "with an explicit deny in a permissions boundary"),
        ({"identity": _allow("*"), "session": _DENY}, "with an explicit deny in a session policy"),
    ],
)
def test_a_refusal_has_the_words_of_aws(policies, reason):
    answer = _ask(_Account(**policies), "ssm", "GetParameter", Name="/iris")

    assert _refusal(answer) == f"{_WHO}{_GET} on resource: {_PARAMETER} {reason}"


def test_s3_puts_the_resource_in_quotation_marks():
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::iris-data/*"}
    answer = _ask(_Account(identity=_allow("*"), resource=deny), "s3", "GetObject", Bucket="iris-data", Key="a")

    assert _refusal(answer) == (
        f'{_WHO}s3:GetObject on resource: "arn:aws:s3:::iris-data/a" with an explicit deny in a resource-based policy'
    )


def test_a_bucket_that_refuses_plain_http_allows_a_secure_call():
    deny = {
        **_allow("s3:*"),
        "Effect": "Deny",
        "Principal": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

    answer = _ask(_Account(identity=_allow("*"), resource=deny), "s3", "GetObject", Bucket="iris-data", Key="a")

    assert answer.denied is None


@pytest.mark.parametrize(
    ("principal", "identity", "refusal"),
    [
        (f"arn:aws:iam::{_ACCOUNT}:root", _allow("kms:Decrypt"), None),
        (f"arn:aws:iam::{_ACCOUNT}:root", _allow("s3:*"), "no identity-based policy allows the kms:Decrypt action"),
        (_ROLE, _allow("s3:*"), None),
        (f"{_ROLE}-other", _allow("kms:Decrypt"), "no resource-based policy allows the kms:Decrypt action"),
    ],
)
def test_identity_policies_count_for_a_key_only_where_it_delegates_to_the_account(principal, identity, refusal):
    key = _allow("kms:*", Principal={"AWS": principal})
    answer = _ask(_Account(identity=identity, resource=key), "kms", "Decrypt", KeyId="1234")

    assert (refusal in _refusal(answer)) if refusal else (answer.denied is None)


def test_a_service_is_allowed_by_the_policy_of_the_resource_alone():
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    account = _Account(identity=_allow("*"), resource=trust)

    trusted = _ask(account, "sts", "AssumeRole", Principal.service("sagemaker.amazonaws.com"), RoleArn=_ROLE)
    other = _ask(account, "sts", "AssumeRole", Principal.service("lambda.amazonaws.com"), RoleArn=_ROLE)

    assert trusted.denied is None
    assert _refusal(other) == (
        f"User: lambda.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: {_ROLE} "
        "because no role trust policy allows the sts:AssumeRole action"
    )


def test_a_remedy_names_the_statement_that_was_near_and_what_fails():
    condition = {"StringLike": {"s3:prefix": ["datasets/*"]}}
    near = _allow("s3:ListBucket", Condition=condition)

    denied = _ask(_Account(identity=near), "s3", "ListObjectsV2", Bucket="iris-data", Prefix="models/").denied

    assert denied is not None
    assert denied.verdict is Verdict.IMPLICIT_DENY
    assert denied.remedy() == (
        "an identity-based policy must allow s3:ListBucket on arn:aws:s3:::iris-data; identity-based policy "
        "permissions, statement 1: its condition StringLike s3:prefix = datasets/* fails: the call has models/"
    )


def test_a_call_in_no_table_is_told():
    answer = _ask(_Account(identity=_allow("*")), "sagemaker", "CreateCluster")

    assert [check.action for check in answer.guessed] == ["sagemaker:CreateCluster"]
    assert answer.denied is None


def test_a_key_condition_by_its_old_name_alone_denies_a_training_job():
    key = f"arn:aws:kms:us-east-1:{_ACCOUNT}:key/1234"
    job = {"TrainingJobName": "iris-1", "OutputDataConfig": {"KmsKeyId": key}}

    def statement(name: str) -> dict[str, Any]:
        return _allow("sagemaker:CreateTrainingJob", Condition={"ArnEquals": {name: key}})

    old, new = statement("sagemaker:OutputKmsKey"), statement("sagemaker:OutputKmsKeyArn")

    assert _ask(_Account(identity=old), "sagemaker", "CreateTrainingJob", **job).denied is not None
    assert _ask(_Account(identity=new), "sagemaker", "CreateTrainingJob", **job).denied is not None
    assert _ask(_Account(identity=[old, new]), "sagemaker", "CreateTrainingJob", **job).denied is None


@pytest.mark.parametrize("service", ["s3", "sqs", "sts", "cloudformation", "sagemaker", "kms", "sns", "lambda"])
def test_a_service_refuses_in_the_way_of_its_protocol(service):
    metadata = Loader().load_service_model(service, "service-2")["metadata"]
    code, status = error_of(service)

    assert code == {"sns": "AuthorizationError"}.get(
        service, "AccessDeniedException" if "json" in metadata["protocol"] and service != "sqs" else "AccessDenied"
    )
    assert status == (400 if metadata["protocol"] == "json" and service != "sqs" else 403)
