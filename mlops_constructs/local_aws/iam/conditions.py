"""Whether the conditions of a statement are true for a request.

All conditions of a statement must be true. A condition is true when one of its values matches or, if the operator is
negated, when none matches. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
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
    """Return the first condition that is not true; None when all are true."""
    for condition in statement.conditions:
        if not _holds(condition, context, statement):
            return condition
    return None


def _holds(condition: Condition, context: Context, statement: Statement) -> bool:
    """Evaluate one condition.

    When the request does not have the key, the result is false, but true if the operator is negated, ends in IfExists,
    or has ForAllValues.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    operator, actual = condition.operator, context.get(condition.key)
    if operator.null:
        return any((value.lower() == "true") == (not actual) for value in condition.values)
    if operator.over is not Over.SINGLE:
        # An empty string counts as no value here:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        actual = tuple(value for value in actual if value)
    if not actual:
        return _holds_without_key(condition)
    expected = [resolve(text, context, variables=_knows_variables(condition, statement)) for text in condition.values]
    if None in expected and operator.negated and statement.allows:
        # "If AWS cannot resolve a variable, this might cause the entire statement to be invalid."
        return False
    known = [pieces for pieces in expected if pieces is not None]
    if operator.over is Over.SINGLE:
        if len(actual) > 1:
            # AWS advises against this and does not document the result: use the stricter one for the caller.
            return not statement.allows
        return _holds_for(condition, actual[0], known)
    over = all if operator.over is Over.ALL else any
    return over(_holds_for(condition, value, known) for value in actual)


def _holds_without_key(condition: Condition) -> bool:
    operator = condition.operator
    if operator.over is Over.ANY:
        return False
    return operator.over is Over.ALL or operator.negated or operator.if_exists


def _holds_for(condition: Condition, value: str, expected: list[Pieces]) -> bool:
    matches = any(condition.operator.test(value, pieces) for pieces in expected)
    return matches != condition.operator.negated


def _knows_variables(condition: Condition, statement: Statement) -> bool:
    return statement.variables and condition.operator.variables
