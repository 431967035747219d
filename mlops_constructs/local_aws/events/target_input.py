"""The input of an EventBridge target: the event, a part of it, a constant, or a text built from it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP = re.compile(r"\.([A-Za-z0-9_\-]+)|\['([^']+)'\]|\[(\d+)\]")
_MISSING = object()


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    """The text that is sent to a target: JSON, or plain text from a string template.

    Raises ValueError when the result of the template is neither.
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = look_up(event, target["InputPath"])
        return json.dumps(None if found is _MISSING else found)
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def look_up(event: Mapping[str, Any], path: str) -> Any:
    """The value at a JSON path such as `$.detail.object.key`; `_MISSING` when there is none."""
    value: Any = event
    for name, quoted, index in _STEP.findall(path):
        try:
            value = value[int(index)] if index else value[name or quoted]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _transformed(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    values: dict[str, Any] = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    for name, path in transformer.get("InputPathsMap", {}).items():
        values[name] = look_up(event, path)
    template: str = transformer["InputTemplate"]
    text = _filled(template, values)
    try:
        made = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the result of the input template is not valid JSON: {text[:200]}") from error
    return made if isinstance(made, str) else text


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Replace placeholders: inside a quoted string by text, elsewhere by JSON."""
    parts, position, in_string = [], 0, False
    for match in _PLACEHOLDER.finditer(template):
        between = template[position : match.start()]
        in_string ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        parts.append(between)
        parts.append(_shown(values.get(match.group(1), match.group(0)), in_string=in_string))
        position = match.end()
    parts.append(template[position:])
    return "".join(parts)


def _shown(value: Any, *, in_string: bool) -> str:
    if value is _MISSING:
        return ""
    if not in_string:
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
