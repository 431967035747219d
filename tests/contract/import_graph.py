"""The imports of a package, wherever they stand in a file: at its top, in a function, under TYPE_CHECKING."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def imports(path: Path, package: Path) -> set[str]:
    """Give the absolute names of the modules that a file imports, and of what it takes from them."""
    return {name for pair in _imports(path, package) for name in pair}


def graph(package: Path) -> dict[str, set[str]]:
    """Give each module of a package with the modules of the package that it imports.

    ``from package import module`` means the module, not the package's ``__init__``.
    """
    files = {_name(path, package): path for path in package.rglob("*.py")}
    edges = {}
    for name, path in files.items():
        named = (taken if taken in files else module for module, taken in _imports(path, package))
        edges[name] = {one for one in named if one in files} - {name}
    return edges


def _imports(path: Path, package: Path) -> Iterator[tuple[str, str]]:
    """Give each imported module, with what is taken from it, or with itself."""
    inside = [package.name, *path.relative_to(package).parent.parts] if package in path.parents else []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((module, f"{module}.{alias.name}") for alias in node.names)


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Give the strongly connected components of more than one node, by Tarjan's algorithm."""
    search = _Search(edges)
    for node in edges:
        if node not in search.index:
            search.visit(node)
    return search.found


class _Search:
    def __init__(self, edges: Mapping[str, set[str]]) -> None:
        self.edges, self.found = edges, list[list[str]]()
        self.index: dict[str, int] = {}
        self._lowest: dict[str, int] = {}
        self._stack: list[str] = []

    def visit(self, node: str) -> None:
        self.index[node] = self._lowest[node] = len(self.index)
        self._stack.append(node)
        for other in self.edges[node]:
            if other not in self.index:
                self.visit(other)
                self._lowest[node] = min(self._lowest[node], self._lowest[other])
            elif other in self._stack:
                self._lowest[node] = min(self._lowest[node], self.index[other])
        if self._lowest[node] == self.index[node]:
            start = self._stack.index(node)
            component, self._stack = self._stack[start:], self._stack[:start]
            if len(component) > 1:
                self.found.append(sorted(component))


def _name(path: Path, package: Path) -> str:
    parts = [package.name, *path.relative_to(package).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
