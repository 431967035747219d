"""How directly a policy of a resource names the principal.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .documents import Element
    from .request import Principal


class Named(IntEnum):
    """How a policy names a principal; a higher value is more direct."""

    NOT = 0
    """Not at all."""
    ACCOUNT = 1
    """By its account: the account's own policies decide."""
    ROLE = 2
    """By its role: limited by permissions boundary and session policy."""
    ANYBODY = 3
    """By ``*``: limited by the session policy at most."""
    ITSELF = 4
    """The session, the user or the service itself: limited by an explicit deny only."""


def named(element: Element, principal: Principal) -> Named:
    """Return how a Principal element names a principal, or whether a NotPrincipal element exempts it.

    Only ``*`` alone is a wildcard here; wildcards within names are ordinary characters.
    """
    if element.negated:
        return Named.NOT if _exempt(element, principal) else Named.ANYBODY
    return max((_named_by(value, principal) for value in element.values), default=Named.NOT)


def _named_by(value: str, principal: Principal) -> Named:
    if value == "*":
        return Named.ANYBODY
    kind, _, text = value.partition(":")
    if principal.is_service:
        return Named.ITSELF if (kind, text) == ("Service", principal.arn) else Named.NOT
    if kind != "AWS":
        return Named.NOT
    if text == principal.arn and not principal.is_root:
        return Named.ITSELF
    if principal.role_arn and text == principal.role_arn:
        return Named.ROLE
    return Named.ACCOUNT if _is_account(text, principal.account) else Named.NOT


def _is_account(text: str, account: str) -> bool:
    return text == account or (text.startswith("arn:") and text.endswith(f":iam::{account}:root"))


def _exempt(element: Element, principal: Principal) -> bool:
    """Whether NotPrincipal exempts a principal.

    For a session of a role, the session, its role and its account must all be listed; for a user, the user and the
    account. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    listed = {_named_by(value, principal) for value in element.values}
    if Named.ANYBODY in listed:
        return True
    if principal.is_service:
        return Named.ITSELF in listed
    if principal.is_root:
        return Named.ACCOUNT in listed
    wanted = {Named.ITSELF, Named.ACCOUNT} | ({Named.ROLE} if principal.role_arn else set())
    return wanted <= listed
