"""A program of resources as source text, in the usual style of Python and JavaScript."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_benchmark.baseline import Reference, Struct
from synth_benchmark.bindings import javascript_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_benchmark.baseline import Program, Statement


def python_source(program: Program) -> str:
    """Return a Python program with the imports that the bindings' documentation shows."""
    imported: dict[str, set[str]] = {"cdktf": {"App", "TerraformStack"}, "constructs": {"Construct"}}
    for cls in _classes(program):
        imported.setdefault(cls.__module__, set()).add(cls.__name__)
    lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(imported.items())]
    lines += ["", "app = App()", f"stack = TerraformStack(app, {program.stack!r})"]
    for one in program.statements:
        given = [one.scope, repr(one.id), *_python_arguments(one.arguments)]
        lines.append(f"{one.variable} = {one.cls.__name__ if one.cls else 'Construct'}({', '.join(given)})")
    return "\n".join([*lines, "app.synth()", ""])


def javascript_source(program: Program) -> str:
    """Return a JavaScript program that requires the provider's root, as TypeScript's ``import * as aws`` does."""
    lines = [
        'const cdktf = require("cdktf");',
        'const { Construct } = require("constructs");',
        'const aws = require("@cdktf/provider-aws");',
        "",
        "const app = new cdktf.App();",
        f"const stack = new cdktf.TerraformStack(app, {json.dumps(program.stack)});",
    ]
    for one in program.statements:
        given = [one.scope, json.dumps(one.id), *([_javascript(one.arguments)] if one.arguments else [])]
        lines.append(f"const {one.variable} = new {_javascript_class(one)}({', '.join(given)});")
    return "\n".join([*lines, "app.synth();", ""])


def _classes(program: Program) -> Iterator[type]:
    for one in program.statements:
        if one.cls is not None:
            yield one.cls
        if one.arguments is not None:
            for _, _, value in one.arguments.fields:
                yield from _structs(value)


def _structs(value: Any) -> Iterator[type]:
    if isinstance(value, list):
        for item in value:
            yield from _structs(item)
    if isinstance(value, Struct):
        yield value.cls
        for _, _, item in value.fields:
            yield from _structs(item)


def _python_arguments(given: Struct | None) -> list[str]:
    return [f"{name}={_python(value)}" for name, _, value in given.fields] if given else []


def _python(value: Any) -> str:
    if isinstance(value, Struct):
        return f"{value.cls.__name__}({', '.join(_python_arguments(value))})"
    if isinstance(value, Reference):
        return value.variable
    if isinstance(value, list):
        return f"[{', '.join(map(_python, value))}]"
    return repr(value)


def _javascript_class(one: Statement) -> str:
    if one.cls is None:
        return "Construct"
    root = "cdktf" if one.cls.__module__ == "cdktf" else "aws"
    return f"{root}.{javascript_name(one.cls)}"


def _javascript(value: Any) -> str:
    if isinstance(value, Struct):
        return f"{{{', '.join(f'{name}: {_javascript(item)}' for _, name, item in value.fields)}}}"
    if isinstance(value, Reference):
        return value.variable
    if isinstance(value, list):
        return f"[{', '.join(map(_javascript, value))}]"
    return json.dumps(value)
