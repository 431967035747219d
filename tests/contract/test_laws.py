"""The sizes that CONTRIBUTING.md promises, of everything that a user installs or deploys."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("mlops_constructs", "lambdas", "container", "examples/tasks")
MODULE_LINES, FUNCTION_LINES = 250, 40


def is_python(path: Path) -> bool:
    """Tell a module or a Python program without an ending; the container's ``train`` and ``serve`` are such."""
    if path.suffix:
        return path.suffix == ".py"
    return path.read_bytes().startswith((b"#!/usr/bin/env python", b"#!/usr/bin/python"))


def programs() -> dict[str, str]:
    """Give the text of every Python file by its path."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*")) if path.is_file()]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths if is_python(path)}


def long_module(text: str) -> int | None:
    """Give the number of lines of a module that has too many."""
    lines = len(text.splitlines())
    return lines if lines > MODULE_LINES else None


def long_functions(text: str) -> dict[str, int]:
    """Give the functions whose body has too many lines, by name; signature and docstring are not counted."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = body_lines(node)
            if lines > FUNCTION_LINES:
                found[node.name] = lines
    return found


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from a function's first statement to its last."""
    statements = node.body if ast.get_docstring(node) is None else node.body[1:]
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def test_every_part_that_ships_is_measured() -> None:
    measured = programs()
    for path in ("container/train", "container/serve", "mlops_constructs/pipeline.py", "lambdas/handler_kit/logs.py"):
        assert path in measured


def test_no_module_is_longer_than_promised() -> None:
    long = {path: lines for path, text in programs().items() if (lines := long_module(text))}
    assert long == {}, f"more than {MODULE_LINES} lines; there are two rooms in it"


def test_no_function_is_longer_than_promised() -> None:
    long = {path: functions for path, text in programs().items() if (functions := long_functions(text))}
    assert long == {}, f"a body of more than {FUNCTION_LINES} lines"


@pytest.mark.parametrize(("lines", "found"), [(250, None), (251, 251)])
def test_a_module_one_line_over_is_found(lines: int, found: int | None) -> None:
    assert long_module("x = 1\n" * lines) == found


@pytest.mark.parametrize(("lines", "found"), [(40, {}), (41, {"work": 41})])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_one_line_over_is_found_wherever_it_stands(kind: str, lines: int, found: dict[str, int]) -> None:
    body = '        """Say it.\n\n        At length.\n        """\n' + "        x = 1\n" * lines
    assert long_functions(f"class Room:\n    {kind} work(self):\n{body}") == found


def test_the_promise_stands_in_contributing() -> None:
    laws = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"at most {MODULE_LINES} lines, a function body at most {FUNCTION_LINES}" in laws
