"""Converts the properties of a resource into a botocore request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_constructs.local_aws.service import Params


class PropertyError(ValueError):
    """A property that the resource type does not have, or a value of the wrong type."""


def request_for(client: Any, operation: str, properties: Params) -> Params:
    """Properties as members of an operation's input, each value converted to its member's type.

    Template values are often strings, such as "2" from a parameter. Raises `PropertyError`.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    converted: Params = _convert(shape, properties, "#")
    return converted


def _convert(shape: Any, value: Any, path: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _convert_structure(shape, _expect(dict, value, path), path)
    if kind == "list":
        return [
            _convert(shape.member, item, f"{path}/{index}") for index, item in enumerate(_expect(list, value, path))
        ]
    if kind == "map":
        return {
            name: _convert(shape.value, item, f"{path}/{name}") for name, item in _expect(dict, value, path).items()
        }
    if isinstance(value, dict | list):
        raise PropertyError(f"{path}: expected type: {kind}, found: {type(value).__name__}")
    return _convert_scalar(kind, value, path)


def _convert_structure(shape: Any, value: Params, path: str) -> Params:
    strange = sorted(set(value) - set(shape.members))
    if strange:
        raise PropertyError(f"{path}: extraneous key [{strange[0]}] is not permitted")
    missing = sorted(set(shape.required_members) - set(value))
    if missing:
        raise PropertyError(f"{path}: required key [{missing[0]}] not found")
    return {name: _convert(shape.members[name], item, f"{path}/{name}") for name, item in value.items()}


def _convert_scalar(kind: str, value: Any, path: str) -> Any:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
    except (KeyError, ValueError):
        raise PropertyError(f"{path}: expected type: {kind}, found: {value!r}") from None
    return text


def _expect(kind: type, value: Any, path: str) -> Any:
    if not isinstance(value, kind):
        raise PropertyError(f"{path}: expected type: {kind.__name__}, found: {value!r}")
    return value
