"""The decision on a request: AWS's policy evaluation logic, without service control policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .decision import Decision, Source, Verdict
from .documents import PolicyKind
from .principals import Named
from .statements import match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .documents import Policy
    from .request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All policies that apply to a request.

    Attributes:
        identity: The policies of the role or user: inline and attached.
        boundary: Its permissions boundary; None when it has none.
        session: The session policies, passed when the role was assumed; together they allow what any of them allows.
            None when none was passed.
        resource: The policy of the resource; for ``sts:AssumeRole`` the role's trust policy. None when it has none.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    resource: Policy | None = None

    def all(self) -> Iterable[Policy]:
        """Yield every policy."""
        yield from self.identity
        yield from (self.boundary,) if self.boundary is not None else ()
        yield from self.session or ()
        yield from (self.resource,) if self.resource is not None else ()


@dataclass(frozen=True, slots=True)
class _Findings:
    """The statements that deny and allow, and those that nearly apply."""

    denies: tuple[Source, ...]
    allows: tuple[Source, ...]
    near: tuple[Source, ...]
    named: Named

    def allowed_by(self, kind: PolicyKind) -> bool:
        return any(source.kind is kind for source in self.allows)


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decide whether a request is allowed.

    1. An explicit deny in any policy denies.
    2. A service that acts for itself is allowed by the resource's policy only.
    3. Within an account, the identity's or the resource's policy must allow; which limits apply depends on how directly
       the resource's policy names the principal. A KMS key's policy and a role's trust policy must allow in any case.
    4. Across accounts, both must allow.
    5. A permissions boundary and a session policy allow nothing, and must allow too.

    Args:
        request: The request.
        policies: All policies that apply to the request.
    """
    found = _find(request, policies)
    if found.denies:
        return Decision(request, Verdict.EXPLICIT_DENY, by=found.denies)
    missing = tuple(_missing(request, policies, found))
    if missing:
        near = tuple(source for source in found.near if source.kind in missing)
        return Decision(request, Verdict.IMPLICIT_DENY, missing=missing, near=near)
    return Decision(request, Verdict.ALLOWED, by=found.allows)


def _find(request: Request, policies: Policies) -> _Findings:
    context = request.keys()
    denies, allows, near, how = [], [], [], Named.NOT
    for policy in policies.all():
        for statement in policy.statements:
            met = match(statement, request, context)
            source = Source(policy.kind, policy.name, statement.label, met.why_not)
            if not met.applies:
                near += [source] if met.why_not and statement.allows else []
            elif not statement.allows:
                denies.append(source)
            else:
                allows.append(source)
                how = max(how, met.named) if policy.kind.names_principals else how
    return _Findings(tuple(denies), tuple(allows), tuple(near), how)


def _missing(request: Request, policies: Policies, found: _Findings) -> Iterable[PolicyKind]:
    """Return the kinds of policies that would have to allow and do not."""
    resource_kind = policies.resource.kind if policies.resource is not None else _resource_kind(request)
    if request.principal.is_service:
        return [] if found.named is Named.ITSELF or found.named is Named.ANYBODY else [resource_kind]
    same_account = request.principal.account == request.resource_account
    by_identity = request.principal.is_root or found.allowed_by(PolicyKind.IDENTITY)
    granted = same_account and found.named >= Named.ROLE
    missing = []
    if not granted and not by_identity:
        missing.append(PolicyKind.IDENTITY)
    if found.named is Named.NOT and (not same_account or _must_allow(request)):
        missing.append(resource_kind)
    return [*missing, *_limits(policies, found, found.named if same_account else Named.NOT)]


def _limits(policies: Policies, found: _Findings, how: Named) -> Iterable[PolicyKind]:
    """Yield the boundary and the session policy when they limit the request and do not allow it.

    What a resource's policy grants to a role is limited by both; what it grants to a session or a user, by neither. For
    ``*`` AWS does not document it; here the session policy limits it, which is the stricter interpretation.
    """
    if policies.boundary is not None and how < Named.ANYBODY and not found.allowed_by(PolicyKind.BOUNDARY):
        yield PolicyKind.BOUNDARY
    if policies.session is not None and how < Named.ITSELF and not found.allowed_by(PolicyKind.SESSION):
        yield PolicyKind.SESSION


def _must_allow(request: Request) -> bool:
    """Whether the resource's own policy must allow, whatever the identity's policies say.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html
    """
    service, _, action = request.action.lower().partition(":")
    on_key = service == "kms" and ":key/" in request.resource
    return on_key or (service == "sts" and action.startswith("assumerole"))


def _resource_kind(request: Request) -> PolicyKind:
    return PolicyKind.TRUST if request.action.lower().startswith("sts:assumerole") else PolicyKind.RESOURCE
