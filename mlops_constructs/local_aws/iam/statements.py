"""Whether a statement applies to a request, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._texts import any_like, is_arn_like, resolve
from .conditions import failed_condition
from .principals import Named, named

if TYPE_CHECKING:
    from .documents import Condition, Statement
    from .request import Context, Request


@dataclass(frozen=True, slots=True)
class Match:
    """Whether and how a statement applies to a request.

    Attributes:
        applies: Whether all elements match.
        named: How it names the principal; ``ITSELF`` in a policy of the principal itself.
        why_not: A text about what does not match; empty when it applies, and when it is about other actions.
    """

    applies: bool
    named: Named = Named.NOT
    why_not: str = ""


def match(statement: Statement, request: Request, context: Context) -> Match:
    """Check whether a statement applies to a request.

    Args:
        statement: The statement.
        request: The request.
        context: ``request.keys()``, computed once for all statements.
    """
    actions = statement.actions
    if any_like(actions.values, request.action) == actions.negated:
        return Match(False)
    how = Named.ITSELF if statement.principals is None else named(statement.principals, request.principal)
    if how is Named.NOT:
        return Match(False, why_not="it does not name the principal")
    if not _about_resource(statement, request.resource, context):
        return Match(False, why_not=f"it is not about {request.resource}")
    failed = failed_condition(statement, context)
    if failed is not None:
        return Match(False, why_not=_describe(failed, context))
    return Match(True, how)


def _about_resource(statement: Statement, resource: str, context: Context) -> bool:
    """Whether Resource or NotResource covers a resource.

    When a variable has no value, an Allow does not apply and NotResource of a Deny exempts nothing.
    """
    if statement.resources is None:
        return True
    pieces = [resolve(text, context, variables=statement.variables) for text in statement.resources.values]
    matches = any(one is not None and is_arn_like(one, resource) for one in pieces)
    if statement.resources.negated:
        return not matches and not (statement.allows and None in pieces)
    return matches


def _describe(condition: Condition, context: Context) -> str:
    actual = context.get(condition.key)
    has = f"the call has {', '.join(actual)}" if actual else "the call has no such key"
    return f"its condition {condition.operator.name} {condition.key} = {', '.join(condition.values)} fails: {has}"
