"""The request that is checked against policies: principal, action, resource and condition keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Context:
    """The condition keys of a request, with values. Key names are not case-sensitive; a key without values is dropped.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str | Sequence[str]] | None = None) -> None:
        """Store the keys.

        Args:
            values: Key to its value, or to a list when the key has several. Booleans are ``true`` and
                ``false``; numbers and dates are strings.
        """
        texts = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in (values or {}).items()}
        self._values = {key.lower(): value for key, value in texts.items() if value}

    def get(self, key: str) -> tuple[str, ...]:
        """Return the values of a key; none when the request has no such key."""
        return self._values.get(key.lower(), ())

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def items(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each key, in lower case, with its values."""
        yield from self._values.items()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Context({self._values!r})"

    def under(self, other: Context) -> Context:
        """Merge both; ``other`` takes precedence for a key that both have."""
        return Context({**self._values, **other._values})


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a session of a role, a user, the root user of an account, or an AWS service.

    Attributes:
        arn: As STS returns it, such as ``arn:aws:sts::123456789012:assumed-role/name/session``; for a service its name,
            such as ``events.amazonaws.com``.
        account: Account of the principal; empty for a service.
        role_arn: ARN of the role, including its path; empty when this is not a session of a role.
    """

    arn: str
    account: str = ""
    role_arn: str = ""

    @classmethod
    def role_session(cls, role_arn: str, session: str) -> Principal:
        """Create a session of a role. The ARN of a session does not contain the role's path."""
        _, partition, _, _, account, path = role_arn.split(":", 5)
        name = path.rsplit("/", 1)[-1]
        return cls(f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}", account, role_arn)

    @classmethod
    def user(cls, arn: str) -> Principal:
        """Create an IAM user, or with ``arn:...:root`` the root user of an account."""
        return cls(arn, arn.split(":")[4])

    @classmethod
    def service(cls, name: str) -> Principal:
        """Create a service that acts for itself, such as ``events.amazonaws.com``."""
        return cls(name)

    @property
    def is_service(self) -> bool:
        """Whether this is a service that acts for itself."""
        return not self.account

    @property
    def is_root(self) -> bool:
        """Whether this is the root user of an account."""
        return self.arn.endswith(":root")

    def context(self) -> Context:
        """Return the condition keys that every request of this principal has.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
        """
        if self.is_service:
            return Context({"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": self.arn})
        kind = "AssumedRole" if self.role_arn else "Account" if self.is_root else "User"
        return Context(
            {
                "aws:PrincipalArn": self.role_arn or self.arn,
                "aws:PrincipalAccount": self.account,
                "aws:PrincipalType": kind,
                "aws:PrincipalIsAWSService": "false",
            }
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One action of one principal on one resource.

    Attributes:
        principal: The caller.
        action: ``service:Action``, not case-sensitive.
        resource: ARN; ``*`` for an action that takes no resource.
        resource_account: Account that owns the resource: the ARN of a bucket does not name it.
        context: Condition keys of the call. Those of the principal are added.
    """

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Context = field(default_factory=Context)

    def keys(self) -> Context:
        """Return all condition keys, of the principal and of the call; the call's take precedence."""
        return self.principal.context().under(self.context)
