"""What came of a request, and how AWS says it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .documents import PolicyKind

if TYPE_CHECKING:
    from .request import Request


_ARTICLES = {PolicyKind.IDENTITY: "an", PolicyKind.TRUST: "the"}


class Verdict(Enum):
    """What came of a request."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True, slots=True)
class Source:
    """One statement of one policy.

    Attributes:
        kind: Where the policy applies.
        policy: Name of the policy.
        statement: Sid, or number, of the statement.
        why_not: Why it does not apply, where it nearly did; empty where it applies.
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
    """What came of a request.

    Attributes:
        request: The request.
        verdict: The outcome.
        by: Statements that decided: those that deny, or those that allow.
        missing: Kinds of policies that would have to allow, the one that AWS names first; empty unless implicit deny.
        near: Statements of the missing kinds that are about the action and do not apply, each with the reason.
    """

    request: Request
    verdict: Verdict
    by: tuple[Source, ...] = ()
    missing: tuple[PolicyKind, ...] = ()
    near: tuple[Source, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the action may be done."""
        return self.verdict is Verdict.ALLOWED

    def message(self) -> str:
        """Give AWS's own sentence for a denied request.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html

        Raises:
            ValueError: The request is allowed.
        """
        if self.allowed:
            raise ValueError("an allowed request has no message")
        request = self.request
        # S3 alone puts the ARN in quotation marks.
        quote = '"' if request.action.lower().startswith("s3:") else ""
        who = f"User: {request.principal.arn} is not authorized to perform: {request.action}"
        return f"{who} on resource: {quote}{request.resource}{quote} {self._reason()}"

    def _reason(self) -> str:
        if self.verdict is Verdict.EXPLICIT_DENY:
            kind = self.by[0].kind
            return f"with an explicit deny in {_ARTICLES.get(kind, 'a')} {kind.value}"
        return f"because no {self.missing[0].value} allows the {self.request.action} action"

    def remedy(self) -> str:
        """Tell what would have to change, and which statements were near; empty for an allowed request."""
        if self.allowed:
            return ""
        if self.verdict is Verdict.EXPLICIT_DENY:
            return f"denied by {'; '.join(map(str, self.by))}"
        wanted = " and ".join(f"{_ARTICLES.get(kind, 'a')} {kind.value}" for kind in self.missing)
        needed = f"{wanted} must allow {self.request.action} on {self.request.resource}"
        near = "".join(f"; {source}" for source in self.near)
        return f"{needed}{near}"
