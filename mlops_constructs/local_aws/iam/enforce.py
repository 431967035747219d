"""Checks calls against the policies of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .actions import checks_of
from .evaluate import Policies, evaluate
from .integrations import checks_with_callers_rights
from .request import Request

if TYPE_CHECKING:
    from .calls import Call, Check, Facts
    from .decision import Decision
    from .documents import Policy
    from .request import Context, Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSide:
    """The owner and the policy of a resource.

    Attributes:
        account: Account that owns it.
        policy: Its policy: for an object the bucket policy, for ``sts:AssumeRole`` the trust policy; None if none.
    """

    account: str
    policy: Policy | None = None


class PolicySource(Protocol):
    """Reads the policies of an account."""

    def of_principal(self, principal: Principal) -> Policies:
        """Return the policies of a role or user: ``identity``, ``boundary``, ``session``. A service has none."""

    def of_resource(self, action: str, resource: str) -> ResourceSide:
        """Return the owner of a resource and its policy.

        Args:
            action: The requested action; for ``sts:AssumeRole`` the policy is the trust policy.
            resource: ARN; ``*`` is the account itself.
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """The decisions on a call.

    Attributes:
        checks: The permissions that the call needs.
        decisions: The decision on each, in the same order.
    """

    checks: tuple[Check, ...]
    decisions: tuple[Decision, ...]

    @property
    def denied(self) -> Decision | None:
        """The first denied permission; None when the call is allowed."""
        return next((decision for decision in self.decisions if not decision.allowed), None)

    @property
    def guessed(self) -> tuple[Check, ...]:
        """The checks of a call that is in no table."""
        return tuple(check for check in self.checks if not check.known)


class Authorizer:
    """Decides on calls by the policies of an account."""

    def __init__(self, source: PolicySource, facts: Facts) -> None:
        """Store the sources of policies and facts; both are read again for each call."""
        self._source, self._facts = source, facts

    def authorize(self, principal: Principal, call: Call) -> Answer:
        """Check a call against the policies: all permissions that it needs, as ``needs`` returns them.

        Args:
            principal: The caller.
            call: The call.
        """
        checks = self.needs(call)
        return Answer(checks, tuple(self.decide(principal, check, call.context) for check in checks))

    def needs(self, call: Call) -> tuple[Check, ...]:
        """Return all permissions that a call needs, including what the service does with the caller's permissions."""
        return (*checks_of(call, self._facts), *checks_with_callers_rights(call))

    def decide(self, principal: Principal, check: Check, context: Context) -> Decision:
        """Decide on one permission.

        Args:
            principal: The principal that needs it.
            check: The permission.
            context: Further condition keys beside those of the check.
        """
        side = self._source.of_resource(check.action, check.resource)
        own = self._source.of_principal(principal)
        request = Request(principal, check.action, check.resource, side.account, context.under(check.context))
        policies = Policies(identity=own.identity, boundary=own.boundary, session=own.session, resource=side.policy)
        return evaluate(request, policies)


_ERRORS = {
    "cloudformation": ("AccessDenied", 403),
    "cloudwatch": ("AccessDenied", 403),
    "iam": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
    "sts": ("AccessDenied", 403),
    "xray": ("AccessDeniedException", 403),
}


def error_of(service: str) -> tuple[str, int]:
    """Return the error code and HTTP status with which a service denies a request.

    Services of the query and rest-xml protocols return AccessDenied, those of the json protocols
    AccessDeniedException, SNS AuthorizationError: the errors that botocore's models and AWS's "Common Errors" pages
    list.

    Args:
        service: Service name in botocore.
    """
    return _ERRORS.get(service, ("AccessDeniedException", 400))
