"""Write ``configuration.md`` from the docstrings of the library: ``python docs/generate_configuration.py``."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from pathlib import Path

from mlops_constructs import config

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "configuration.md"
_ENTRY = re.compile(r"^(\w+): ", re.MULTILINE)
_INTRODUCTION = """\
# Configuration

Every choice, with its default. *Literal* values are judged at synth; *references* may be tokens and are never looked
into. This page is made from the docstrings by `make docs`.
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """One argument."""

    name: str
    type: str
    default: str
    text: str


def page() -> str:
    """Give the whole page."""
    classes = {name: getattr(config, name) for name in config.__all__}
    documented = {name: one for name, one in classes.items() if name != "PipelineConfig"}
    sections = [_INTRODUCTION, _pipeline_section(documented)]
    sections += [_section(name, one, documented) for name, one in documented.items()]
    return "\n".join(sections)


def rows_of(one: type) -> list[Row]:
    """Give the fields of a dataclass, with what its docstring says of each."""
    texts = _entries(one)
    source = _class_source(one)
    return [
        Row(field.name, source[field.name][0], source[field.name][1], texts.get(field.name, ""))
        for field in dataclasses.fields(one)
    ]


def _class_source(one: type) -> dict[str, tuple[str, str]]:
    """Give annotation and default of each field, as they are written: no Python version changes them."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0]
    assert isinstance(tree, ast.ClassDef)
    return {
        node.target.id: (ast.unparse(node.annotation), _default(node.value))
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _default(value: ast.expr | None) -> str:
    if value is None:
        return "required"
    text = ast.unparse(value)
    factory = re.fullmatch(r"field\(default_factory=(?:lambda: )?(.*)\)", text)
    if factory is None:
        return text
    return {"dict": "{}", "list": "[]"}.get(factory[1], factory[1] if "(" in factory[1] else f"{factory[1]}()")


def _entries(one: object, heading: str = "Attributes") -> dict[str, str]:
    """Give name to text of a docstring's section."""
    documentation = inspect.getdoc(one) or ""
    match = re.search(rf"^{heading}:\n((?:    .*\n|\n)+)", documentation + "\n", re.MULTILINE)
    if match is None:
        return {}
    body = textwrap.dedent(match[1])
    starts = [*_ENTRY.finditer(body)]
    ends = [*(start.start() for start in starts[1:]), len(body)]
    return {
        start[1]: " ".join(body[start.end() : end].partition("\n\n")[0].split())
        for start, end in zip(starts, ends, strict=True)
    }


def _about(one: object) -> str:
    """Give a docstring without its sections."""
    return (inspect.getdoc(one) or "").partition("\nAttributes:")[0].partition("\nArgs:")[0].strip()


def _pipeline_section(documented: dict[str, type]) -> str:
    # Read as text: importing the module would start jsii.
    tree = ast.parse((ROOT / "mlops_constructs" / "pipeline.py").read_text(encoding="utf-8"))
    construct = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "MLOpsPipeline")
    init = next(node for node in construct.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")

    class Described:
        __doc__ = ast.get_docstring(init)

    texts = _entries(Described, "Args")
    rows = [
        Row(
            argument.arg,
            ast.unparse(argument.annotation) if argument.annotation is not None else "",
            re.sub(r"Config\(", "(", {"MappingProxyType({})": "{}"}.get(_default(default), _default(default))),
            texts.get(argument.arg, ""),
        )
        for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
    ]
    return f"## MLOpsPipeline\n\n{_table(rows, documented)}"


def _section(name: str, one: type, documented: dict[str, type]) -> str:
    parts = [f"## {name}", _cell(_about(one)), _methods(name, one)]
    if dataclasses.is_dataclass(one):
        parts.append(_table(rows_of(one), documented).rstrip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _methods(name: str, one: type) -> str:
    """List the ways to make one, each with the first sentence of its docstring."""
    made = [
        (method, getattr(one, method))
        for method, value in vars(one).items()
        if isinstance(value, (classmethod, staticmethod)) and not method.startswith("_")
    ]
    return "\n".join(
        f"- `{name}.{method}({_parameters(function)})`: {_cell((inspect.getdoc(function) or '').splitlines()[0])}"
        for method, function in made
    )


def _parameters(function: object) -> str:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]  # type: ignore[arg-type]
    assert isinstance(tree, ast.FunctionDef)
    named = [*tree.args.args, *tree.args.kwonlyargs]
    return ", ".join([one.arg for one in named if one.arg != "cls"] + (["..."] if tree.args.kwarg else []))


def _table(rows: list[Row], documented: dict[str, type]) -> str:
    lines = ["| name | type | default | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{row.name}` | {_linked(row.type, documented)} | `{_cell(row.default)}` | {_cell(row.text)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _linked(annotation: str, documented: dict[str, type]) -> str:
    """Link the classes of this page; the construct's own file calls some of them ``...Config``."""
    names = {**{f"{name}Config": name for name in documented}, **{name: name for name in documented}}
    parts = re.split(r"(\w+)", annotation)
    return "".join(f"[{names[part]}](#{names[part].lower()})" if part in names else _cell(part) for part in parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("``", "`")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
