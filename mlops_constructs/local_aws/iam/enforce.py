"""Calls held against the policies of an account."""

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
    """What a resource says of itself.

    Attributes:
        account: Account that owns it.
        policy: Its policy: of the bucket for an object, of the role for ``sts:AssumeRole``; None where it has none.
    """

    account: str
    policy: Policy | None = None


class PolicySource(Protocol):
    """Where the policies of an account are read."""

    def of_principal(self, principal: Principal) -> Policies:
        """Give the policies of a role or user: ``identity``, ``boundary``, ``session``. None of a service."""

    def of_resource(self, action: str, resource: str) -> ResourceSide:
        """Give the owner of a resource and its policy.

        Args:
            action: What is asked for; ``sts:AssumeRole`` asks for the trust policy.
            resource: ARN; ``*`` is the account itself.
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    Attributes:
        checks: What the call needed.
        decisions: What came of each, in the same order.
    """

    checks: tuple[Check, ...]
    decisions: tuple[Decision, ...]

    @property
    def denied(self) -> Decision | None:
        """The first denied permission; None when the call is allowed."""
        return next((decision for decision in self.decisions if not decision.allowed), None)

    @property
    def guessed(self) -> tuple[Check, ...]:
        """Checks of a call that is in no table."""
        return tuple(check for check in self.checks if not check.known)


class Authorizer:
    """Judges calls by the policies of an account."""

    def __init__(self, source: PolicySource, facts: Facts) -> None:
        """Take where policies and facts are read; both are asked anew for each call."""
        self._source, self._facts = source, facts

    def authorize(self, principal: Principal, call: Call) -> Answer:
        """Hold a call against the policies: all that it needs, and what the service does with the caller's rights.

        Args:
            principal: Who calls.
            call: What is called.
        """
        checks = self.needs(call)
        return Answer(checks, tuple(self.decide(principal, check, call.context) for check in checks))

    def needs(self, call: Call) -> tuple[Check, ...]:
        """Give all that a call needs, with what the service does with the caller's rights."""
        return (*checks_of(call, self._facts), *checks_with_callers_rights(call))

    def decide(self, principal: Principal, check: Check, context: Context) -> Decision:
        """Decide on one permission.

        Args:
            principal: Who needs it.
            check: The permission.
            context: Condition keys besides those of the check.
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
    """Give the error's code and HTTP status by which a service refuses.

    Services of the query and rest-xml protocols answer AccessDenied, those of the json protocols
    AccessDeniedException, SNS AuthorizationError: the errors that botocore's models and AWS's "Common Errors" pages
    list.

    Args:
        service: As botocore names it.
    """
    return _ERRORS.get(service, ("AccessDeniedException", 400))
