"""Finds every text that a person can meet when something is wrong, by following it back from where it comes out.

A function that puts its argument into an outlet is an outlet for its callers' arguments; a function whose result goes
there is read for the texts that it returns. Better too many pieces than a gap.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from messages.outlets import REASON, Outlets, last
from messages.rendering import shown, values
from messages.source import Program, Scope, Written

if TYPE_CHECKING:
    from collections.abc import Callable

# What imitates AWS in the local AWS is AWS's text, not ours; what it says of itself is ours.
_LOCAL_AWS = "mlops_constructs/local_aws/"
_OF_ITSELF = ("local AWS", "rehears")
# What they are given is in what they return.
_HANDED_ON = {"capitalize", "chain", "dedent", "get", "items", "join", "list", "map", "max", "min", "next", "partial"}
_HANDED_ON |= {"format", "removesuffix", "replace", "reversed", "sorted", "str", "strip"}
_HANDED_ON |= {"substitute", "tuple", "values", "zip"}
# Their arguments are patterns, no texts.
_PATTERNS = {"compile", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "strftime"}


@dataclass(frozen=True, order=True)
class Message:
    """One text.

    Attributes:
        module: Where it is written.
        text: How it reads; the name of each value is in braces.
        kind: Where it comes out: the class of the exception, for example.
        whole: Whether it is a message by itself; otherwise it is a piece of one.
    """

    module: str
    text: str
    kind: str
    whole: bool


class Collector:
    """Collects the messages of a program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._outlets = Outlets(program)
        self._found: set[Message] = set()
        self._done: set[tuple[object, ...]] = set()
        self._callers = self._all_calls()
        self._readers: dict[type, Callable[[ast.Name | ast.Call | ast.Attribute, Scope, str, bool], None]] = {
            ast.Name: self._name,
            ast.Call: self._call,
            ast.Attribute: self._attribute,
        }

    def collect(self) -> set[Message]:
        """All messages."""
        for module in self._program.modules.values():
            for scope in module.scopes:
                for kind, expressions in self._outlets.of(scope):
                    for expression in expressions:
                        self._text(expression, scope, kind, kind != REASON)
        return {one for one in self._found if not self._of_aws(one)}

    def _of_aws(self, message: Message) -> bool:
        if not message.module.startswith(_LOCAL_AWS) or "MlopsError" in self._program.bases(message.kind):
            return False
        return not any(word in message.text for word in _OF_ITSELF)

    def _text(self, node: ast.expr, scope: Scope, kind: str, whole: bool) -> None:
        """Follow an expression to the texts that it can be."""
        if (key := (id(node), kind, whole)) in self._done:
            return
        self._done.add(key)
        text = shown(node)
        if text is not None:
            self._add(text, scope, kind, whole)
            for value in values(node):
                self._text(value, scope, kind, False)
        elif isinstance(node, Written):
            self._text(node.value, node.scope, kind, whole)
        elif type(node) in self._readers:
            self._readers[type(node)](node, scope, kind, whole)  # type: ignore[arg-type]
        else:
            self._parts(node, scope, kind, whole)

    def _parts(self, node: ast.expr, scope: Scope, kind: str, whole: bool) -> None:
        if isinstance(node, ast.IfExp):
            parts = [node.body, node.orelse]
        elif isinstance(node, ast.Subscript):
            parts, whole = [node.value], False
        elif isinstance(node, ast.Compare | ast.Lambda):
            parts = []
        else:
            children = list(ast.iter_child_nodes(node))
            parts = [one for one in children if isinstance(one, ast.expr)]
            for one in children:
                if isinstance(one, ast.comprehension):
                    self._text(one.iter, scope, kind, False)
        for part in parts:
            self._text(part, scope, kind, whole)

    def _add(self, text: str, scope: Scope, kind: str, whole: bool) -> None:
        flat = (text if whole else text.strip()).replace("\n", "\\n")
        if " " in flat.strip() and any(one.isalpha() for one in flat):
            self._found.add(Message(scope.module.path, flat, kind, whole))

    def _name(self, node: ast.Name, scope: Scope, kind: str, whole: bool) -> None:
        at: Scope | None = scope
        while at is not None and at.around is not None:
            for value in at.bound.get(node.id, ()):
                self._text(value, at, kind, whole)
            if node.id in at.parameters:
                self._parameter(at, node.id, kind, whole)
            if node.id in at.bound or node.id in at.parameters:
                return
            at = at.around
        top, found = self._program.constant(node.id, scope)
        for value in found:
            self._text(value, top, kind, whole)

    def _parameter(self, function: Scope, name: str, kind: str, whole: bool) -> None:
        """What callers hand in for a parameter comes out where the parameter does."""
        if name in ("self", "cls") or (key := (id(function), name, kind, whole)) in self._done:
            return
        self._done.add(key)
        default = function.default(name)
        if default is not None:
            self._text(default, function, kind, False)
        for call, scope in self._callers.get(function.called, ()):
            if function in self._program.functions(call.func, scope):
                argument = function.argument(call, name)
                if argument is not None:
                    self._text(argument, scope, kind, whole)

    def _call(self, node: ast.Call, scope: Scope, kind: str, whole: bool) -> None:
        name = last(node.func)
        if self._outlets.makes_record(name):
            return
        functions = self._program.functions(node.func, scope)
        for function in functions:
            for value in function.results():
                self._text(value, function, kind, whole)
        arguments = [*node.args, *(one.value for one in node.keywords)]
        if name in _HANDED_ON:
            if isinstance(node.func, ast.Attribute):
                arguments.append(node.func.value)
        elif functions or name in _PATTERNS:
            return
        else:
            arguments = [one for one in arguments if shown(one) is not None or isinstance(one, ast.IfExp)]
        for argument in arguments:
            self._text(argument, scope, kind, False)

    def _attribute(self, node: ast.Attribute, scope: Scope, kind: str, whole: bool) -> None:
        for function in self._program.member(node.attr, node.value, scope):
            if function.is_property():
                for value in function.results():
                    self._text(value, function, kind, whole)
        if last(node.value) not in ("self", "cls"):
            self._text(node.value, scope, kind, False)
            return
        holder = self._program.holder(scope)
        for value in holder.bound.get(node.attr, ()) if holder is not None else ():
            assert holder is not None
            self._text(value, holder, kind, whole)

    def _all_calls(self) -> dict[str, list[tuple[ast.Call, Scope]]]:
        found: dict[str, list[tuple[ast.Call, Scope]]] = {}
        for module in self._program.modules.values():
            for scope in module.scopes:
                for call in (one for one in scope.own if isinstance(one, ast.Call)):
                    name = last(call.func)
                    for one in {name, module.imported.get(name, ("", name))[1]}:
                        found.setdefault(one, []).append((call, scope))
        return found
