"""Who asks for what: the request that policies are held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Context:
    """The condition keys of a request and their values. Names of keys are not case-sensitive; an empty list is no key.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str | Sequence[str]] | None = None) -> None:
        """Take the keys.

        Args:
            values: Key to its value, or to all its values where a key has several. Booleans are ``true`` and
                ``false``, numbers and dates are text.
        """
        texts = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in (values or {}).items()}
        self._values = {key.lower(): value for key, value in texts.items() if value}

    def get(self, key: str) -> tuple[str, ...]:
        """Give the values of a key; none when the request has no such key."""
        return self._values.get(key.lower(), ())

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def items(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give each key, in lower case, with its values."""
        yield from self._values.items()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Context({self._values!r})"

    def under(self, other: Context) -> Context:
        """Give both together; ``other`` wins where both have a key."""
        return Context({**self._values, **other._values})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a session of a role, a user, the root user of an account, or a service of AWS.

    Attributes:
        arn: As STS tells it, such as ``arn:aws:sts::123456789012:assumed-role/name/session``; the name of a service,
            such as ``events.amazonaws.com``.
        account: Account of the principal; empty for a service.
        role_arn: ARN of the role, path included; empty for what is no session of a role.
    """

    arn: str
    account: str = ""
    role_arn: str = ""

    @classmethod
    def role_session(cls, role_arn: str, session: str) -> Principal:
        """Make a session of a role. The ARN of a session leaves out the role's path."""
        _, partition, _, _, account, path = role_arn.split(":", 5)
        name = path.rsplit("/", 1)[-1]
        return cls(f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}", account, role_arn)

    @classmethod
    def user(cls, arn: str) -> Principal:
        """Make an IAM user, or with ``arn:...:root`` the root user of an account."""
        return cls(arn, arn.split(":")[4])

    @classmethod
    def service(cls, name: str) -> Principal:
        """Make a service that acts for itself, such as ``events.amazonaws.com``."""
        return cls(name)

    @property
    def is_service(self) -> bool:
        """Whether a service acts for itself."""
        return not self.account

    @property
    def is_root(self) -> bool:
        """Whether this is the root user of an account."""
        return self.arn.endswith(":root")

    def context(self) -> Context:
        """Give the condition keys that every request of this principal has.

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
        principal: Who asks.
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
        """Give all condition keys: those of the principal, then those of the call."""
        return self.principal.context().under(self.context)
