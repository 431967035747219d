"""The same resources in plain CDKTF: a synthesized document as the statements of a program."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import cdktf

from synth_benchmark.bindings import arguments, construct_class, fields, normal, provider_class
from synth_benchmark.document import COMPARED
from synth_benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_benchmark.bindings import Field

_KNOWN = {"//", "terraform", *COMPARED}


@dataclass(frozen=True)
class Struct:
    """A nested block; fields are (name in Python, name in JavaScript, value)."""

    cls: type
    fields: tuple[tuple[str, str, Any], ...]


@dataclass(frozen=True)
class Reference:
    """A reference to another element of the program, by its variable."""

    variable: str


@dataclass(frozen=True)
class Statement:
    """``variable = cls(scope, id, **arguments)``; without a class, a plain Construct that only contains others."""

    variable: str
    scope: str
    id: str
    cls: type | None
    arguments: Struct | None


@dataclass(frozen=True)
class Program:
    """One stack.

    Attributes:
        stack: Its name.
        statements: In an order in which each statement uses only earlier ones.
    """

    stack: str
    statements: tuple[Statement, ...]


def program_of(document: Mapping[str, Any]) -> Program:
    """Return a program that synthesizes the document again.

    Raises:
        BenchmarkError: if the document has blocks or arguments that this generator does not know.
    """
    unknown = sorted(set(document) - _KNOWN)
    if unknown:
        raise BenchmarkError(f"the generator of the baseline program does not know the blocks {', '.join(unknown)}")
    stack: str = document["//"]["metadata"]["stackName"]
    writer = _Writer(stack)
    for settings in document["provider"]["aws"]:
        writer.add(f"{stack}/aws", provider_class(), settings)
    for element in _in_order(list(_elements(document))):
        writer.add(element.path, construct_class(element.block, element.kind), element.settings, element.address)
    for path, name in _outputs(document["//"].get("outputs", {})):
        writer.add(path, cdktf.TerraformOutput, document["output"][name])
    return Program(stack, tuple(writer.statements))


@dataclass(frozen=True)
class _Element:
    block: str
    kind: str
    address: str
    path: str
    settings: dict[str, Any]


class _Writer:
    """Collects statements; creates a construct that contains others when it is first needed."""

    def __init__(self, stack: str) -> None:
        self.statements: list[Statement] = []
        self._variables = {stack: "stack"}
        self._addresses: dict[str, str] = {}

    def add(self, path: str, cls: type, settings: Mapping[str, Any], address: str = "") -> None:
        given = self._struct(cls, arguments(cls), settings)
        self._addresses[address] = self._state(path, cls, given)

    def _state(self, path: str, cls: type | None, given: Struct | None) -> str:
        above, _, id_ = path.rpartition("/")
        if above not in self._variables:
            self._state(above, None, None)
        variable = f"{'scope' if cls is None else 'element'}_{len(self.statements)}"
        self.statements.append(Statement(variable, self._variables[above], id_, cls, given))
        self._variables[path] = variable
        return variable

    def _struct(self, cls: type, known: Mapping[str, Field], settings: Mapping[str, Any]) -> Struct:
        found = []
        for name, value in settings.items():
            field = known.get(normal(name))
            if field is None:
                raise BenchmarkError(f"{cls.__name__} has no argument for {name}")
            found.append((field.python, field.javascript, self._value(field, value)))
        return Struct(cls, tuple(found))

    def _value(self, field: Field, value: Any) -> Any:
        if field.references:
            return [Reference(self._addresses[address]) for address in value]
        if field.struct is None:
            return value
        if isinstance(value, list):
            return [self._struct(field.struct, fields(field.struct), item) for item in value]
        return self._struct(field.struct, fields(field.struct), value)


def _elements(document: Mapping[str, Any]) -> Iterator[_Element]:
    for block in ("data", "resource"):
        for kind, named in document.get(block, {}).items():
            for name, settings in named.items():
                address = f"{'data.' if block == 'data' else ''}{kind}.{name}"
                plain = {key: value for key, value in settings.items() if key != "//"}
                yield _Element(block, kind, address, settings["//"]["metadata"]["path"], plain)


def _in_order(elements: list[_Element]) -> list[_Element]:
    """Put each element after those that its depends_on names."""
    by_address = {element.address: element for element in elements}
    needs = {element.address: element.settings.get("depends_on", []) for element in elements}
    return [by_address[address] for address in TopologicalSorter(needs).static_order()]


def _outputs(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, below in tree.items():
        if isinstance(below, str):
            yield f"{path}{name}", below
        else:
            yield from _outputs(below, f"{path}{name}/")
