"""Policy documents, parsed once and checked against the grammar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ...errors import MlopsError
from ._operators import Operator, find_operator

if TYPE_CHECKING:
    from collections.abc import Sequence

_ELEMENTS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
}  # fmt: skip
_VERSIONS = ("2008-10-17", "2012-10-17")
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


class PolicyError(MlopsError, ValueError):
    """A policy violates the grammar of the policy language; AWS returns MalformedPolicyDocument."""


class PolicyKind(Enum):
    """The kind of a policy; the value is AWS's term in messages."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"

    @property
    def names_principals(self) -> bool:
        """Whether its statements have a Principal element."""
        return self in (PolicyKind.RESOURCE, PolicyKind.TRUST)


@dataclass(frozen=True, slots=True)
class Element:
    """An element with its negation: Action and NotAction, Resource and NotResource, Principal and NotPrincipal.

    Attributes:
        values: The values. A principal is ``type:value``; ``*`` is everybody.
        negated: Whether the element means everything except these values.
    """

    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key.

    Attributes:
        operator: The operator that compares.
        key: Condition key.
        values: The policy's values; one of them must match or, if the operator is negated, none.
    """

    operator: Operator
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy.

    Attributes:
        label: Its Sid, or such as ``statement 2`` when it has none.
        allows: Whether it allows; otherwise it denies.
        actions: Action or NotAction.
        resources: Resource or NotResource; None in a trust policy, whose resource is its role.
        principals: Principal or NotPrincipal; None in an identity-based policy.
        conditions: All must be true.
        variables: Whether ``${...}`` is a variable.
    """

    label: str
    allows: bool
    actions: Element
    resources: Element | None
    principals: Element | None
    conditions: tuple[Condition, ...]
    variables: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy.

    Attributes:
        name: Such as ``permissions``, or the ARN of a managed policy.
        kind: Its kind.
        statements: In the order of the document, which has no meaning.
    """

    name: str
    kind: PolicyKind
    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, name: str, kind: PolicyKind, document: str | Mapping[str, Any]) -> Policy:
        """Parse a policy.

        Args:
            name: Its name in messages.
            kind: Its kind.
            document: JSON text, or the parsed JSON.

        Raises:
            PolicyError: It violates the grammar; nothing is guessed.
                https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
        """
        try:
            body = json.loads(document) if isinstance(document, str) else document
        except ValueError as error:
            raise PolicyError(f"policy {name}: not JSON: {error}") from error
        if not isinstance(body, Mapping) or "Statement" not in body:
            raise PolicyError(f"policy {name}: has no Statement")
        version = body.get("Version", _VERSIONS[0])
        if version not in _VERSIONS:
            raise PolicyError(f"policy {name}: Version must be one of {', '.join(_VERSIONS)}, got {version!r}")
        listed = body["Statement"]
        statements = [listed] if isinstance(listed, Mapping) else listed
        read = (
            _statement(f"policy {name}, statement {number}", number, kind, statement, version == _VERSIONS[1])
            for number, statement in enumerate(statements, 1)
        )
        return cls(name, kind, tuple(read))


def _statement(where: str, number: int, kind: PolicyKind, body: Mapping[str, Any], variables: bool) -> Statement:
    unknown = sorted(set(body) - _ELEMENTS)
    if unknown:
        raise PolicyError(f"{where}: no such element: {', '.join(unknown)}")
    if body.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"{where}: Effect must be Allow or Deny, got {body.get('Effect')!r}")
    actions = _element(where, "Action", body)
    if actions is None:
        raise PolicyError(f"{where}: has neither Action nor NotAction")
    return Statement(
        label=str(body.get("Sid") or f"statement {number}"),
        allows=body["Effect"] == "Allow",
        actions=actions,
        resources=_resources(where, kind, body),
        principals=_principals(where, kind, body),
        conditions=tuple(_conditions(where, body.get("Condition", {}))),
        variables=variables,
    )


def _element(where: str, name: str, body: Mapping[str, Any]) -> Element | None:
    if name in body and f"Not{name}" in body:
        raise PolicyError(f"{where}: has both {name} and Not{name}")
    for element, negated in ((name, False), (f"Not{name}", True)):
        if element in body:
            return Element(_texts(f"{where}: {element}", body[element]), negated)
    return None


def _resources(where: str, kind: PolicyKind, body: Mapping[str, Any]) -> Element | None:
    element = _element(where, "Resource", body)
    if kind is PolicyKind.TRUST:
        if element is not None:
            raise PolicyError(f"{where}: a trust policy has no Resource: its resource is its role")
        return None
    if element is None:
        raise PolicyError(f"{where}: has neither Resource nor NotResource")
    for value in element.values:
        if value != "*" and not value.startswith("arn:"):
            raise PolicyError(f"{where}: a resource must be an ARN or '*', got {value!r}")
    return element


def _principals(where: str, kind: PolicyKind, body: Mapping[str, Any]) -> Element | None:
    named = [name for name in ("Principal", "NotPrincipal") if name in body]
    if not kind.names_principals:
        if named:
            raise PolicyError(f"{where}: an {PolicyKind.IDENTITY.value} cannot have a principal")
        return None
    if len(named) != 1:
        raise PolicyError(f"{where}: must have one of Principal and NotPrincipal")
    negated = named[0] == "NotPrincipal"
    if negated and body["Effect"] == "Allow":
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        raise PolicyError(f"{where}: NotPrincipal is allowed with Deny only")
    return Element(tuple(_principal_values(where, body[named[0]])), negated)


def _principal_values(where: str, value: object) -> list[str]:
    if value == "*":
        return ["*"]
    if not isinstance(value, Mapping) or not value:
        raise PolicyError(f"{where}: a principal must be '*' or an object, got {value!r}")
    unknown = sorted(set(value) - set(_PRINCIPAL_TYPES))
    if unknown:
        raise PolicyError(f"{where}: no such type of principal: {', '.join(unknown)}")
    named = [(kind, text) for kind, texts in value.items() for text in _texts(f"{where}: {kind}", texts)]
    return ["*" if (kind, text) == ("AWS", "*") else f"{kind}:{text}" for kind, text in named]


def _conditions(where: str, block: Mapping[str, Mapping[str, object]]) -> list[Condition]:
    conditions = []
    for name, keys in block.items():
        operator = find_operator(name)
        if operator is None:
            raise PolicyError(f"{where}: no such condition operator: {name}")
        for key, value in keys.items():
            values = _texts(f"{where}: {name} {key}", value)
            wrong = [text for text in values if not operator.takes(text)]
            if wrong:
                raise PolicyError(f"{where}: {name} {key} cannot compare with {', '.join(map(repr, wrong))}")
            conditions.append(Condition(operator, key, values))
    return conditions


def _texts(where: str, value: object) -> tuple[str, ...]:
    values: Sequence[object] = value if isinstance(value, list | tuple) else [value]
    texts = tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)
    if not texts or not all(isinstance(one, str | bool | int | float) for one in values):
        raise PolicyError(f"{where}: must be a string or a list of strings, got {value!r}")
    return texts
