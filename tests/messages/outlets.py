"""The places where a text comes out to a person: exceptions, records, calls and members with certain names."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from messages.source import Program, Scope

# A reason is a piece: another text has it.
REASON = "reason"
# Their arguments are shown to a person.
_RECORDS = {"Problem": "problem", "Finding": "finding", "Message": "notification"}
_METHODS = {"error": "arguments", "exit": "arguments", "fail": "test", "warn": "warning", "warning": "warning"}
_METHODS |= {"exception": "log"}
_MEMBERS = {"alarm_description": "alarm", "AlarmDescription": "alarm"}
_MEMBERS |= dict.fromkeys(("detail", "obstacle", "problem", "reason", "remedy", "sentence", "why"), REASON)
_EXCEPTIONS = {name for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, BaseException)}

Outlet = tuple[str, list[ast.expr]]


def last(node: ast.AST) -> str:
    """The last name of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class Outlets:
    """Finds the outlets of a program, each with the expressions whose texts come out there."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def makes_record(self, name: str) -> bool:
        """Whether a call of this name is an outlet by itself."""
        return name in _RECORDS or self.is_exception(name)

    def is_exception(self, name: str) -> bool:
        """Whether a class with this name is an exception."""
        return bool(self._program.bases(name) & _EXCEPTIONS)

    def of(self, scope: Scope) -> Iterator[Outlet]:
        """The outlets in a scope."""
        for node in scope.own:
            if isinstance(node, ast.Call):
                yield from self._of_call(node, scope)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in _MEMBERS:
                        yield _MEMBERS[key.value], [value]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                if node.targets[0].attr in _MEMBERS:
                    yield _MEMBERS[node.targets[0].attr], [node.value]
            elif isinstance(node, ast.Raise) and node.exc is not None:
                yield from self._of_raise(node.exc, scope)

    def _of_call(self, call: ast.Call, scope: Scope) -> Iterator[Outlet]:
        kind = self._kind(call, scope)
        if kind is not None:
            yield kind, [*call.args, *(one.value for one in call.keywords if one.arg != "file")]
        for one in call.keywords:
            if one.arg in _MEMBERS:
                yield _MEMBERS[one.arg], [one.value]
            elif last(call.func) == "publish" and one.arg in ("Subject", "Message"):
                yield "notification", [one.value]

    def _kind(self, call: ast.Call, scope: Scope) -> str | None:
        name = last(call.func)
        if isinstance(call.func, ast.Attribute) and name in _METHODS:
            return "log" if "log" in last(call.func.value) else _METHODS[name]
        if name == "print" and any(last(one.value) == "stderr" for one in call.keywords):
            return "stderr"
        if name == "__init__":
            holder = self._program.holder(scope)
            return holder.name if holder is not None and self.is_exception(holder.name) else None
        return name if self.is_exception(name) else _RECORDS.get(name)

    def _of_raise(self, raised: ast.expr, scope: Scope) -> Iterator[Outlet]:
        """What is raised is an exception that is made here, or made by a function, or of a class that was handed in."""
        if not isinstance(raised, ast.Call):
            return
        made = [last(one.func) for one in ast.walk(raised) if isinstance(one, ast.Call)]
        if not any(self.is_exception(name) for name in made):
            yield "raise", [raised] if self._program.functions(raised.func, scope) else raised.args
