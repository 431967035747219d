"""Policies with one thing changed: an action dropped, a resource narrowed, a condition flipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.iam.documents import Condition, Element, Policy, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed policy.

    Attributes:
        policy: The policy after the change.
        statement: Its statement before the change.
        changed: The statement after it; None when nothing is left.
        change: What was changed, as a line of the table.
    """

    policy: Policy
    statement: Statement
    changed: Statement | None
    change: str

    @property
    def name(self) -> str:
        """Policy and change: how a survivor and its exception are told."""
        return f"{self.policy.name}, {self.change}"


def mutants_of(policy: Policy) -> Iterator[Mutant]:
    """Give every policy that differs from this one in one thing."""
    for number, statement in enumerate(policy.statements):
        for changed, change in _changes(statement):
            kept = () if changed is None else (changed,)
            statements = (*policy.statements[:number], *kept, *policy.statements[number + 1 :])
            yield Mutant(replace(policy, statements=statements), statement, changed, change)


def _changes(statement: Statement) -> Iterator[tuple[Statement | None, str]]:
    what = f"{'' if statement.allows else 'deny '}{','.join(statement.actions.values)}"
    for action in statement.actions.values:
        left = _without(statement.actions, action)
        where = f" on {','.join(statement.resources.values)}" if statement.resources else ""
        yield (None if left is None else replace(statement, actions=left)), f"drop action {action}{where}"
    for element, name in ((statement.resources, "resources"), (statement.principals, "principals")):
        if element is None:
            continue
        if len(element.values) > 1:
            for value in element.values:
                changed = replace(statement, **{name: _without(element, value)})
                yield changed, f"drop {name[:-1]} {value} of {what}"
        for value in element.values:
            if name == "resources" and "*" in value and value != "*":
                narrow = Element(tuple(value.replace("*", "") if one == value else one for one in element.values))
                yield replace(statement, resources=narrow), f"narrow resource {value} of {what}"
    for number, condition in enumerate(statement.conditions):
        rest = (*statement.conditions[:number], *statement.conditions[number + 1 :])
        told = f"{condition.operator.name} {condition.key} {','.join(condition.values)} of {what}"
        yield replace(statement, conditions=rest), f"drop condition {told}"
        for value in condition.values if len(condition.values) > 1 else ():
            left = replace(condition, values=tuple(one for one in condition.values if one != value))
            yield replace(statement, conditions=(*rest, left)), f"drop value {value} of {told}"
        flipped = replace(condition, values=_others(condition))
        yield replace(statement, conditions=(*rest, flipped)), f"flip condition {told}"


def _others(condition: Condition) -> tuple[str, ...]:
    """Give values that the condition does not have: the opposite, where there is one."""
    return tuple(_other(value) for value in condition.values)


def _other(value: str) -> str:
    if value in ("true", "false"):
        return "false" if value == "true" else "true"
    return "0" if value.isdigit() else f"{value}-other"


def _without(element: Element, value: str) -> Element | None:
    left = tuple(one for one in element.values if one != value)
    return replace(element, values=left) if left else None
