"""The decision on a request, and AWS's message for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .documents import PolicyKind

if TYPE_CHECKING:
    from .request import Request


_ARTICLES = {PolicyKind.IDENTITY: "an", PolicyKind.TRUST: "the"}


class Verdict(Enum):
    """The outcome of a request."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True, slots=True)
class Source:
    """One statement of one policy.

    Attributes:
        kind: Kind of the policy.
        policy: Name of the policy.
        statement: Sid, or number, of the statement.
        why_not: Why it does not apply although it is about the action; empty when it applies.
    """

    kind: PolicyKind
    policy: str
    statement: str
    why_not: str = ""

    def __str__(self) -> str:
        where = f"{self.kind.value} {self.policy}, {self.statement}"
        return f"{where}: {self.why_not}" if self.why_not else where


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on a request.

    Attributes:
        request: The request.
        verdict: The outcome.
        by: The statements that decide: those that deny, or those that allow.
        missing: For an implicit deny, the kinds of policies that would have to allow; AWS's message names the first.
        near: Statements of the missing kinds that are about the action but do not apply, each with the reason.
    """

    request: Request
    verdict: Verdict
    by: tuple[Source, ...] = ()
    missing: tuple[PolicyKind, ...] = ()
    near: tuple[Source, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the action is allowed."""
        return self.verdict is Verdict.ALLOWED

    def message(self) -> str:
        """Return AWS's own sentence for a denied request.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html

        Raises:
            ValueError: The request is allowed.
        """
        if self.allowed:
            raise ValueError("an allowed request has no message")
        request = self.request
        # Only S3 puts the ARN in quotation marks.
        quote = '"' if request.action.lower().startswith("s3:") else ""
        who = f"User: {request.principal.arn} is not authorized to perform: {request.action}"
        return f"{who} on resource: {quote}{request.resource}{quote} {self._reason()}"

    def _reason(self) -> str:
        if self.verdict is Verdict.EXPLICIT_DENY:
            kind = self.by[0].kind
            return f"with an explicit deny in {_ARTICLES.get(kind, 'a')} {kind.value}"
        return f"because no {self.missing[0].value} allows the {self.request.action} action"

    def remedy(self) -> str:
        """Return what would have to change, and which statements nearly apply; empty for an allowed request."""
        if self.allowed:
            return ""
        if self.verdict is Verdict.EXPLICIT_DENY:
            return f"denied by {'; '.join(map(str, self.by))}"
        wanted = " and ".join(f"{_ARTICLES.get(kind, 'a')} {kind.value}" for kind in self.missing)
        needed = f"{wanted} must allow {self.request.action} on {self.request.resource}"
        near = "".join(f"; {source}" for source in self.near)
        return f"{needed}{near}"
