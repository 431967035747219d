"""Whether the conditions of a statement hold for a request.

All conditions of a statement must hold; of one condition's values, one is enough, or none may match where the
operator is negated. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._operators import Over
from ._texts import resolve

if TYPE_CHECKING:
    from ._texts import Pieces
    from .documents import Condition, Statement
    from .request import Context


def failed_condition(statement: Statement, context: Context) -> Condition | None:
    """Give the first condition that does not hold; None when all hold."""
    for condition in statement.conditions:
        if not _holds(condition, context, statement):
            return condition
    return None


def _holds(condition: Condition, context: Context, statement: Statement) -> bool:
    """Judge one condition.

    A key that is not there: false, but true where the operator is negated, ends in IfExists, or has ForAllValues.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    operator, told = condition.operator, context.get(condition.key)
    if operator.null:
        return any((value.lower() == "true") == (not told) for value in condition.values)
    if operator.over is not Over.SINGLE:
        # An empty text counts as no value here:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        told = tuple(value for value in told if value)
    if not told:
        return _holds_without_key(condition)
    asked = [resolve(text, context, variables=_knows_variables(condition, statement)) for text in condition.values]
    if None in asked and operator.negated and statement.allows:
        # "If AWS cannot resolve a variable, this might cause the entire statement to be invalid."
        return False
    known = [pieces for pieces in asked if pieces is not None]
    if operator.over is Over.SINGLE:
        if len(told) > 1:
            # AWS tells not to do so and not what comes of it: the worse for the caller.
            return not statement.allows
        return _holds_for(condition, told[0], known)
    over = all if operator.over is Over.ALL else any
    return over(_holds_for(condition, value, known) for value in told)


def _holds_without_key(condition: Condition) -> bool:
    operator = condition.operator
    if operator.over is Over.ANY:
        return False
    return operator.over is Over.ALL or operator.negated or operator.if_exists


def _holds_for(condition: Condition, value: str, asked: list[Pieces]) -> bool:
    matches = any(condition.operator.test(value, pieces) for pieces in asked)
    return matches != condition.operator.negated


def _knows_variables(condition: Condition, statement: Statement) -> bool:
    return statement.variables and condition.operator.variables
