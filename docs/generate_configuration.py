"""Write ``configuration.md`` from the docstrings of the library: ``python docs/generate_configuration.py``."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs import config
from mlops_constructs.config.pipeline import Arguments

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from option_changes.declared import LOSSES
from option_changes.options import options

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "configuration.md"
_SECTION = r"^{}:\n((?:    .*\n|\n)+)"
_INTRODUCTION = """\
# Configuration

Every argument, with its default. *Literal* values are validated at synth; *references* may be tokens and are never
inspected. This page is generated from the docstrings by `make docs`.

Everything that is wrong is reported together, by its path, in one `ConfigError` before anything is created:

    MLOpsPipeline has 1 problem:
      training.retry.fallback_instance_types[1]: must look like 'ml.<family>.<size>', got 'm5'; use for example
      'ml.m5.large'

A reference is a string: a token of CDKTF, or an expression of Terraform such as `${var.bucket}`. One that is not a
string becomes one with `Token.as_string`. A list of references may be one reference, except `Dataset.input_buckets`.

[Changing a pipeline](changes.md) tells what an apply does to a deployed pipeline when an option is changed. An option
whose change may delete or replace something that holds data says so.

## From YAML, JSON or TOML

`MLOpsPipeline.from_dict(self, "churn", yaml.safe_load(text))` takes the arguments as a mapping; PyYAML is not required.
Keys are the names on this page, and unknown ones are refused. What is given for an argument replaces its default as a
whole, as in Python. An empty key is None. A range of a tuning also has a `type`. An algorithm of `from_connection` and
`from_git` is `git: {name, connection_arn or provider_type}`, one of `builtin` is `built_in: {name, version}`.
[pipeline.schema.json](pipeline.schema.json) describes the mapping for editors.

```yaml
algorithm:
  directory: container
dataset:
  prefix: incoming/
  contract:
    columns:
      - {name: species, allowed_values: [setosa, versicolor, virginica]}
      - {name: petal_length, type: number, min_value: 0}
training:
  instance_type: ml.m5.xlarge
  hyperparameters: {n_estimators: 100}
  environment: {EPOCHS: "3"}
tuning:
  objective_metric_name: validation:accuracy
  hyperparameter_ranges:
    max_depth: {type: Integer, min_value: 2, max_value: 9}
notebook: null
tags: {team: risk}
```
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """One argument, as it is written."""

    name: str
    type: str
    default: str
    text: str


def page() -> str:
    """Give the whole page."""
    documented = {name: getattr(config, name) for name in config.__all__ if name != "PipelineConfig"}
    sections = [_INTRODUCTION, _pipeline_section(documented)]
    sections += [_section(name, one, documented) for name, one in documented.items()]
    return "\n".join(sections)


def rows_of(one: type) -> list[Row]:
    """Give the fields of a dataclass, with what its docstring says of each."""
    texts = _entries(inspect.getdoc(one) or "")
    source = _class_source(one)
    return [
        Row(field.name, *source[field.name], texts.get(field.name, "") + _loss(one, field.name))
        for field in dataclasses.fields(one)
    ]


def _loss(one: type, field: str) -> str:
    """Say what a change of a field may lose, in whatever part of a pipeline the class is."""
    found: set[str] = set()
    for option, texts in LOSSES.items():
        kind, name = options().get(option, (None, ""))
        if kind is not None and kind.__name__ not in (*config.__all__, Arguments.__name__):
            # A class that is not on this page is described by the field that holds it.
            kind, name = options()[option.rpartition(".")[0]]
        if (kind, name) == (one, field):
            found |= {text.partition(" ")[2] for text in texts}
    return f" *A change can delete or replace: {', '.join(sorted(found))} ([changes](changes.md)).*" if found else ""


def _class_source(one: type) -> dict[str, tuple[str, str]]:
    """Give annotation and default of each field, as they are written: no Python version changes them."""
    found = {}
    for each in reversed([base for base in one.__mro__ if dataclasses.is_dataclass(base)]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0]
        assert isinstance(tree, ast.ClassDef)
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = (ast.unparse(node.annotation), _default(node.value))
    return found


def _default(value: ast.expr | None) -> str:
    """Write a default as a reader would: what a ``field(...)`` makes, not that it makes it."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        if "default" in given:
            return ast.unparse(given["default"])
        factory = given["default_factory"]
        made = ast.unparse(factory.body) if isinstance(factory, ast.Lambda) else f"{ast.unparse(factory)}()"
        return {"dict()": "{}", "list()": "[]"}.get(made, made)
    text = "required" if value is None else ast.unparse(value)
    return {"MappingProxyType({})": "{}"}.get(text, text)


def _entries(documentation: str, heading: str = "Attributes") -> dict[str, str]:
    """Give name to text of a docstring's section."""
    match = re.search(_SECTION.format(heading), documentation + "\n", re.MULTILINE)
    parts = [] if match is None else re.split(r"^(\w+): ", textwrap.dedent(match[1]), flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.partition("\n\n")[0].split()) for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _pipeline_section(documented: dict[str, type]) -> str:
    # Read as text: importing the module would start jsii.
    tree = ast.parse((ROOT / "mlops_constructs" / "pipeline.py").read_text(encoding="utf-8"))
    construct = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "MLOpsPipeline")
    init = next(node for node in construct.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    texts = _entries(ast.get_docstring(init) or "", "Args")
    defaults = zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
    rows = [
        Row(
            one.arg,
            ast.unparse(one.annotation) if one.annotation else "",
            _default(default),
            texts.get(one.arg, "") + _loss(Arguments, one.arg),
        )
        for one, default in defaults
    ]
    return f"## MLOpsPipeline\n\n{_table(rows, documented)}"


def _section(name: str, one: type, documented: dict[str, type]) -> str:
    about = re.sub(_SECTION.format("Attributes"), "", f"{inspect.getdoc(one)}\n", flags=re.MULTILINE).strip()
    parts = [f"## {name}", _cell(about), _methods(name, one)]
    if dataclasses.is_dataclass(one):
        parts.append(_table(rows_of(one), documented).rstrip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _methods(name: str, one: type) -> str:
    """List the ways to make one, each with the first sentence of its docstring."""
    lines = []
    for method, value in vars(one).items():
        if isinstance(value, (classmethod, staticmethod)) and not method.startswith("_"):
            given = ", ".join(one.arg for one in _arguments(value.__func__) if one.arg != "cls")
            about = (inspect.getdoc(value.__func__) or "").splitlines()[0]
            lines.append(f"- `{name}.{method}({given})`: {_cell(about)}")
    return "\n".join(lines)


def _arguments(function: Callable[..., object]) -> list[ast.arg]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return [*tree.args.args, *tree.args.kwonlyargs, *([ast.arg("...")] if tree.args.kwarg else [])]


def _table(rows: list[Row], documented: dict[str, type]) -> str:
    lines = ["| name | type | default | meaning |", "|---|---|---|---|"]
    for row in rows:
        type_ = _linked(row.type, documented)
        lines.append(f"| `{row.name}` | {type_} | `{_cell(row.default)}` | {_cell(row.text)} |")
    return "\n".join(lines) + "\n"


def _linked(annotation: str, documented: dict[str, type]) -> str:
    """Link the classes of this page."""
    parts = re.split(r"(\w+)", annotation)
    return "".join(f"[{part}](#{part.lower()})" if part in documented else _cell(part) for part in parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
