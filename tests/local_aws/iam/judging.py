"""A case, as our engine reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.iam.cases import ROLE

from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind
from mlops_constructs.local_aws.iam.evaluate import Policies, evaluate
from mlops_constructs.local_aws.iam.request import Context, Principal, Request

if TYPE_CHECKING:
    from local_aws.iam.cases import Case

    from mlops_constructs.local_aws.iam.decision import Decision


def judge(case: Case) -> Decision:
    """Decide on a case."""
    return evaluate(request_of(case), policies_of(case))


def request_of(case: Case) -> Request:
    """Give the request of a case."""
    who = case["principal"]
    principal = Principal.role_session(ROLE, who.rsplit("/")[-1]) if who.startswith("arn:") else Principal.service(who)
    return Request(principal, case["action"], case["resource"], case["account"], Context(case["context"]))


def policies_of(case: Case) -> Policies:
    """Give the policies of a case."""
    kind = PolicyKind.TRUST if case["action"].lower().startswith("sts:") else PolicyKind.RESOURCE
    identity = [
        Policy.parse(f"p{number}", PolicyKind.IDENTITY, document) for number, document in enumerate(case["identity"])
    ]
    boundary, session, resource = case["boundary"], case["session"], case["resource_policy"]
    return Policies(
        identity=tuple(identity),
        boundary=Policy.parse("boundary", PolicyKind.BOUNDARY, boundary) if boundary else None,
        session=(Policy.parse("session", PolicyKind.SESSION, session),) if session else None,
        resource=Policy.parse("resource", kind, resource) if resource else None,
    )
