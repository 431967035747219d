"""The intrinsic functions of templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}" for name in ("AccountId", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)
_FUNCTIONS = frozenset({"Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::If"})
_CONDITION_FUNCTIONS = frozenset({"Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"})
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")

NO_VALUE = object()
"""What AWS::NoValue resolves to: a member with this value is omitted."""


class TemplateError(AwsError):
    """The template, or a value given with it, is not valid."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


@dataclass(frozen=True)
class Scope:
    """The values of the names in a template."""

    parameters: Mapping[str, Any]
    conditions: Mapping[str, bool]
    ref: Callable[[str], str]
    attribute: Callable[[str, str], Any]

    def resolve(self, value: Any) -> Any:
        """The value, with every intrinsic function replaced by its result."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        function = function_of(value)
        if function is None:
            resolved = {name: self.resolve(item) for name, item in value.items()}
            return {name: item for name, item in resolved.items() if item is not NO_VALUE}
        return self._call(function, value[function])

    def _call(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return self._ref(argument)
        if function == "Fn::GetAtt":
            return self.attribute(*split_attribute(argument))
        if function == "Fn::Sub":
            return self._substitute(argument)
        if function == "Fn::Join":
            delimiter, items = argument
            return str(delimiter).join(as_text(item) for item in self.resolve(items))
        condition, when_true, when_false = argument
        return self.resolve(when_true if self.conditions[condition] else when_false)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.parameters[name] if name in self.parameters else self.ref(name)

    def _substitute(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})
        own = {name: as_text(self.resolve(value)) for name, value in names.items()}

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return f"${{{match.group(2)}}}"
            if name in own:
                return own[name]
            return as_text(self.attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return _PLACEHOLDER.sub(replaced, text)


def evaluate_conditions(definitions: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, bool]:
    """Whether each condition of a template is true."""
    conditions = _Conditions(definitions, parameters)
    return {name: conditions.named(name, ()) for name in definitions}


class _Conditions:
    def __init__(self, definitions: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._scope = Scope(parameters, {}, _no_parameter, _no_parameter)

    def named(self, name: str, asked: tuple[str, ...]) -> bool:
        if name not in self._definitions or name in asked:
            raise TemplateError(f"Template format error: Unresolved or circular condition {name}")
        return self._truth(self._definitions[name], (*asked, name))

    def _truth(self, value: Any, asked: tuple[str, ...]) -> bool:
        if not isinstance(value, dict) or len(value) != 1:
            raise TemplateError("Template format error: every condition is one condition function")
        ((function, argument),) = value.items()
        if function == "Condition":
            return self.named(argument, asked)
        if function == "Fn::Equals":
            left, right = self._scope.resolve(argument)
            return as_text(left) == as_text(right)
        if function not in _CONDITION_FUNCTIONS:
            raise TemplateError(f"Template format error: {function} is not a condition function")
        parts = [self._truth(item, asked) for item in argument]
        if function == "Fn::Not":
            return not parts[0]
        return all(parts) if function == "Fn::And" else any(parts)


def _no_parameter(*names: str) -> str:
    raise TemplateError(f"Template format error: a condition refers to {'.'.join(names)}, which is not a parameter")


def function_of(value: Mapping[str, Any]) -> str | None:
    """The intrinsic function that a JSON object calls; None for ordinary data."""
    if len(value) != 1:
        return None
    (name,) = value
    if name == "Ref" or name in _FUNCTIONS:
        return name
    if name.startswith("Fn::"):
        raise TemplateError(f"Template error: the local AWS does not support {name}")
    return None


def references(value: Any) -> Iterator[tuple[str, str | None]]:
    """The names that a value refers to, each with the requested attribute (None for a Ref)."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        function = function_of(value)
        if function is None:
            yield from references(list(value.values()))
            return
        argument = value[function]
        if function == "Ref":
            yield argument, None
        elif function == "Fn::GetAtt":
            yield split_attribute(argument)
        elif function == "Fn::Sub":
            yield from _placeholders(argument)
        elif function == "Fn::If":
            yield from references(argument[1:])
        else:
            yield from references(argument)


def _placeholders(argument: Any) -> Iterator[tuple[str, str | None]]:
    text, own = argument if isinstance(argument, list) else (argument, {})
    yield from references(list(own.values()))
    for literal, placeholder in _PLACEHOLDER.findall(text):
        name, _, attribute = placeholder.strip().partition(".")
        if not literal and placeholder.strip() not in own:
            yield name, attribute if attribute else None


def split_attribute(argument: Any) -> tuple[str, str]:
    """The resource and attribute of a Fn::GetAtt, whose argument is a string or a list."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise TemplateError("Template error: every Fn::GetAtt object requires two non-empty parameters")
    return parts[0], parts[1]


def as_text(value: Any) -> str:
    """A value as CloudFormation writes it into text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(as_text, value)) if isinstance(value, list) else str(value)
