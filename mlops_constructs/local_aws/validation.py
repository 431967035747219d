"""AWS's validation of a request before the operation begins."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator


# The error code for a request that does not match the botocore model, where it is not ValidationException.
_CODES = {
    "cloudformation": "ValidationError",
    "cloudwatch": "ValidationError",
    "codebuild": "InvalidInputException",
    "ecr": "InvalidParameterException",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
}


def check_input(service_name: str, shape: Any, params: dict[str, Any]) -> None:
    """Raise the service's validation error, which names every member that does not match the botocore model."""
    if shape is None:
        return
    found = list(_problems(shape, params, ""))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        raise AwsError(_CODES.get(service_name, "ValidationException"), f"{count}: {'; '.join(found)}")


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        if not getattr(shape, "is_document_type", False):
            yield from _structure_problems(shape, value, path)
    elif kind == "list":
        yield from _size_problems(shape, len(value), value, path, "length")
        for index, item in enumerate(value, start=1):
            yield from _problems(shape.member, item, f"{path}.{index}.member")
    elif kind == "map":
        yield from _size_problems(shape, len(value), value, path, "length")
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path}.key")
            yield from _problems(shape.value, item, f"{path}.{key}.member")
    elif kind == "string":
        yield from _string_problems(shape, value, path)
    elif kind in ("integer", "long", "float", "double"):
        yield from _size_problems(shape, value, value, path, "value")


def _structure_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a structure"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _problems(member, value[name], _join(path, name))


def _string_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a string"
        return
    shown = "***" if shape.metadata.get("sensitive") else value[:200]
    yield from _size_problems(shape, len(value), shown, path, "length")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield (
            f"Value '{shown}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        )
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and not compiled.fullmatch(value):
        yield (
            f"Value '{shown}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )


def _size_problems(shape: Any, size: float, value: Any, path: str, what: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        bound = f"{what} greater than or equal to {low}"
    elif high is not None and size > high:
        bound = f"{what} less than or equal to {high}"
    else:
        return
    yield f"Value '{str(value)[:200]}' at '{path}' failed to satisfy constraint: Member must have {bound}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The model's pattern, compiled; None for the few patterns whose syntax Python does not support."""
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None
