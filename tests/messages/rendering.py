"""How a text is shown in the list: as it is written, with the name of each value in braces."""

from __future__ import annotations

import ast

_LONGEST = 40


def shown(node: ast.expr) -> str | None:
    """The text of an expression, or None where it is not a text itself."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(one) for one in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        left, right = shown(node.left), shown(node.right)
        if isinstance(node.op, ast.Mod):
            return left
        if left is None and right is None:
            return None
        return (left if left is not None else _value(node.left)) + (right if right is not None else _value(node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return shown(node.func.value)
    return None


def values(node: ast.expr) -> list[ast.expr]:
    """The expressions within a text whose values it shows."""
    if isinstance(node, ast.JoinedStr):
        return [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
    if isinstance(node, ast.BinOp):
        return [part for side in (node.left, node.right) for part in (values(side) if shown(side) else [side])]
    if isinstance(node, ast.Call):
        return [*node.args, *(one.value for one in node.keywords)]
    return []


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        return _value(node.value, "!r" if node.conversion == ord("r") else "")
    return shown(node) or ""


def _value(node: ast.expr, conversion: str = "") -> str:
    if isinstance(node, ast.IfExp):
        first, second = shown(node.body), shown(node.orelse)
        if first is not None or second is not None:
            return f"({_choice(node.body, first)}|{_choice(node.orelse, second)})"
    return f"{{{_cut(label(node))}{conversion}}}"


def _choice(node: ast.expr, text: str | None) -> str:
    return _value(node) if text is None else text


def label(node: ast.expr) -> str:
    """A short name of a value, the same in every version of Python."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr.lstrip("_")
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Subscript):
        return label(node.slice) if isinstance(node.slice, ast.Constant) else label(node.value)
    if isinstance(node, ast.Call):
        return _call(node)
    for name in ("values", "value", "left", "operand", "body", "elt", "elts"):
        part = getattr(node, name, None)
        if isinstance(part, list) and part:
            return label(part[0])
        if isinstance(part, ast.expr):
            return label(part)
    return "…"


def _call(node: ast.Call) -> str:
    name = label(node.func)
    if name == "join" and node.args:
        return f"{label(node.args[0])}…"
    if isinstance(node.func, ast.Attribute) and not node.args:
        return label(node.func.value) if name in ("strip", "lower", "isoformat") else name.lstrip("_")
    return f"{name.lstrip('_')}({label(node.args[0])})" if node.args else name.lstrip("_")


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}…"
