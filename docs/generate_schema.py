"""Write ``pipeline.schema.json`` from the annotations of the configuration: ``python docs/generate_schema.py``.

An editor that knows it completes and checks the mapping that ``MLOpsPipeline.from_dict`` takes.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from mlops_constructs.config._kinds import choices_of, hints_of, parts_of
from mlops_constructs.config.pipeline import Arguments
from mlops_constructs.config.reading import RANGES, REQUIRED

if TYPE_CHECKING:
    from mlops_constructs.config._part import Part

FILE = Path(__file__).with_name("pipeline.schema.json")
_SCALARS = {str: "string", Path: "string", int: "integer", float: "number", bool: "boolean"}


def schema() -> dict[str, Any]:
    """Give the schema of all arguments; each class is a definition."""
    definitions: dict[str, Any] = {}
    whole = _object(Arguments, definitions, REQUIRED)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Arguments of MLOpsPipeline.from_dict",
        **whole,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """Give the file."""
    return json.dumps(schema(), indent=2) + "\n"


def _object(part: type[Part], definitions: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    texts = _texts(part)
    properties = {}
    for name, hint in hints_of(part).items():
        about = {"description": texts[name]} if name in texts else {}
        properties[name] = {**about, **_value(hint, definitions)}
    closed = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**closed, "required": list(required)} if required else closed


def _value(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    forms = [_form(one, definitions) for one in choices_of(hint)]
    forms += [{"type": "null"}] if NoneType in get_args(hint) else []
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _form(one: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if get_origin(one) is Literal:
        return {"enum": list(get_args(one))}
    if get_origin(one) is Mapping:
        return {"type": "object", "additionalProperties": _value(get_args(one)[1], definitions)}
    if get_origin(one) is Sequence:
        return {"type": "array", "items": _value(get_args(one)[0], definitions)}
    if parts_of(one):
        return _reference(one, definitions)
    return {"type": _SCALARS[one]}


def _reference(part: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if part.__name__ not in definitions:
        required = [
            field.name
            for field in dataclasses.fields(part)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        definitions[part.__name__] = _object(part, definitions, required)
        for name, range_ in RANGES.items():
            if part is range_:
                definitions[part.__name__]["properties"]["type"] = {"const": name}
                definitions[part.__name__]["required"].append("type")
    return {"$ref": f"#/$defs/{part.__name__}"}


def _texts(part: type) -> dict[str, str]:
    """Give field to its entry in the docstring."""
    section = (inspect.getdoc(part) or "").partition("\nAttributes:\n")[2]
    entries = re.split(r"^(\w+): ", textwrap.dedent(section), flags=re.MULTILINE)[1:]
    return {
        name: " ".join(entry.partition("\n\n")[0].split()).replace("``", "`")
        for name, entry in zip(entries[::2], entries[1::2], strict=True)
    }


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
