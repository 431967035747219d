"""Inspect the generated bindings: classes, arguments, nested structs, names in Python and JavaScript."""

from __future__ import annotations

import collections.abc
import functools
import importlib
import inspect
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cdktf

from mlops_constructs import provider
from synth_benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASES = {"resource": cdktf.TerraformResource, "data": cdktf.TerraformDataSource}


@dataclass(frozen=True)
class Field:
    """One argument of a construct or a struct.

    Attributes:
        python: Its name in Python.
        javascript: Its name in JavaScript.
        struct: The class of its value, or of the items of its value.
        references: Whether its items are other elements of the stack.
    """

    python: str
    javascript: str
    struct: type | None
    references: bool


def construct_class(block: str, kind: str) -> type:
    """Return the class of a Terraform type, such as ``resource``, ``aws_s3_bucket``.

    Raises:
        BenchmarkError: if the bindings do not have it.
    """
    name = kind.removeprefix("aws_")
    module = getattr(provider, f"data_aws_{name}" if block == "data" else name)
    for found in vars(module).values():
        if inspect.isclass(found) and issubclass(found, _BASES[block]) and found.__module__ == module.__name__:
            return found
    raise BenchmarkError(f"{module.__name__} has no class for {kind}")


def provider_class() -> type:
    """Return the class of the AWS provider."""
    found: type = provider.AwsProvider
    return found


def arguments(construct: type) -> dict[str, Field]:
    """Return the arguments of a construct by their Terraform names."""
    return fields(_in_module(construct, f"{construct.__name__}Config"))


@functools.cache
def fields(struct: type) -> dict[str, Field]:
    """Return the fields of a struct by their Terraform names."""
    names: dict[str, str] = struct.__jsii_name_mapping__  # type: ignore[attr-defined]
    hints = typing.get_type_hints(struct.__init__)
    found = {}
    for python, javascript in names.items():
        parts = list(_parts(hints[python]))
        structs = [part for part in parts if hasattr(part, "__jsii_name_mapping__")]
        references = python == "depends_on"
        field = Field(python, javascript, structs[0] if structs else None, references)
        found[normal(python)] = field
    return found


def normal(name: str) -> str:
    """Return a name in a form that is equal for Terraform, Python and JavaScript."""
    return name.replace("_", "").lower()


def javascript_name(cls: type) -> str:
    """Return the name of a class in JavaScript, such as ``s3Bucket.S3Bucket``."""
    full: str = cls.__jsii_type__  # type: ignore[attr-defined]
    return full.partition(".")[2]


def _parts(hint: Any) -> Iterator[Any]:
    """Yield the types that a type hint consists of, without those inside mappings."""
    origin = typing.get_origin(hint)
    if origin in (dict, collections.abc.Mapping):
        return
    if origin is None:
        yield hint
    for part in typing.get_args(hint):
        yield from _parts(part)


def _in_module(cls: type, name: str) -> type:
    found: type | None = getattr(importlib.import_module(cls.__module__), name, None)
    if found is None:
        raise BenchmarkError(f"{cls.__module__} has no {name}")
    return found
