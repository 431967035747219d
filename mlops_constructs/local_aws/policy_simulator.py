"""IAM's policy simulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.iam.decision import Verdict
from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind
from mlops_constructs.local_aws.iam.evaluate import Policies, evaluate
from mlops_constructs.local_aws.iam.request import Context, Principal, Request
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORDS: Mapping[Verdict, str] = {
    Verdict.ALLOWED: "allowed",
    Verdict.EXPLICIT_DENY: "explicitDeny",
    Verdict.IMPLICIT_DENY: "implicitDeny",
}
_PAGE = 100
_UNSUPPORTED = frozenset(
    {"CallerArn", "PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "PolicyInputList", "ResourcePolicy"}
)


class PolicySimulator(Service):
    """SimulatePrincipalPolicy; moto implements the other operations of IAM.

    The access keys with which a person calls the local AWS are its administrator's, who may do everything.
    """

    service_name: ClassVar[str] = "iam"

    def simulate_principal_policy(self, params: Params) -> Params:
        """Decide for each action and each resource whether the policies of a user or role allow it."""
        if unsupported := sorted(_UNSUPPORTED & set(params)):
            raise AwsError("InvalidInput", f"The local AWS does not support {', '.join(unsupported)} in a simulation.")
        source, iam = params["PolicySourceArn"], self.account.moto("iam")
        policies = None if self._is_administrator(source) else policies_of(iam, source)
        pairs = [(action, arn) for action in params["ActionNames"] for arn in params.get("ResourceArns") or ["*"]]
        begin = int(params.get("Marker", "0"))
        end = begin + int(params.get("MaxItems", _PAGE))
        results = [self._decided(source, policies, *pair, _context(params)) for pair in pairs[begin:end]]
        more = end < len(pairs)
        return {"EvaluationResults": results, "IsTruncated": more, **({"Marker": str(end)} if more else {})}

    def _is_administrator(self, arn: str) -> bool:
        return bool(arn == self.account.client("sts").get_caller_identity()["Arn"])

    def _decided(self, source: str, policies: Policies | None, action: str, arn: str, context: Context) -> Params:
        verdict = Verdict.ALLOWED
        if policies is not None:
            principal = Principal.role_session(source, "simulated") if ":role/" in source else Principal.user(source)
            request = Request(principal, action, arn, self.account.account_id, context)
            verdict = evaluate(request, policies).verdict
        return {
            "EvalActionName": action,
            "EvalResourceName": arn,
            "EvalDecision": _WORDS[verdict],
            "MatchedStatements": [],
            "MissingContextValues": [],
        }


def _context(params: Params) -> Context:
    entries = params.get("ContextEntries", [])
    return Context({one["ContextKeyName"]: one["ContextKeyValues"] for one in entries})


def policies_of(iam: Any, arn: str) -> Policies:
    """Read the inline and attached policies of a user or role, and its permissions boundary.

    Policies of a user's groups are not read: the local AWS has no groups.

    Args:
        iam: A client of IAM. It raises NoSuchEntity when there is no such user or role.
        arn: ARN of a user or a role.
    """
    kind, _, path = arn.split(":", 5)[5].partition("/")
    name = {f"{kind.title()}Name": path.rpartition("/")[2]}
    entity = getattr(iam, f"get_{kind}")(**name)[kind.title()]
    boundary = entity.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Policies(
        identity=(*_inline(iam, kind, name), *_attached(iam, kind, name)),
        boundary=_managed(iam, boundary, PolicyKind.BOUNDARY) if boundary else None,
    )


def _inline(iam: Any, kind: str, name: Mapping[str, str]) -> Iterator[Policy]:
    for policy in getattr(iam, f"list_{kind}_policies")(**name)["PolicyNames"]:
        document = getattr(iam, f"get_{kind}_policy")(**name, PolicyName=policy)["PolicyDocument"]
        yield Policy.parse(policy, PolicyKind.IDENTITY, document)


def _attached(iam: Any, kind: str, name: Mapping[str, str]) -> Iterator[Policy]:
    for policy in getattr(iam, f"list_attached_{kind}_policies")(**name)["AttachedPolicies"]:
        yield _managed(iam, policy["PolicyArn"], PolicyKind.IDENTITY)


def _managed(iam: Any, arn: str, kind: PolicyKind) -> Policy:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return Policy.parse(arn, kind, document if isinstance(document, dict) else json.loads(document))
