"""Parses a CodeBuild buildspec."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

PHASES = ("install", "pre_build", "build", "post_build")
_SECTIONS = frozenset({"version", "env", "phases", "artifacts", "cache", "reports"})
_ENVIRONMENT = frozenset({"variables", "parameter-store", "exported-variables", "shell"})
_PHASE_MEMBERS = frozenset({"commands", "finally", "on-failure", "runtime-versions"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BuildspecError(Exception):
    """The buildspec is not valid; the text names the member."""


@dataclass(frozen=True, slots=True)
class Phase:
    """The commands of one phase."""

    commands: tuple[str, ...]
    finally_commands: tuple[str, ...]
    aborts: bool
    """Whether the build ends at once when the phase fails."""


@dataclass(frozen=True, slots=True)
class Buildspec:
    """A buildspec of version 0.2."""

    variables: Mapping[str, str]
    parameters: Mapping[str, str]
    exported: tuple[str, ...]
    phases: Mapping[str, Phase]

    @classmethod
    def parse(cls, text: str) -> Buildspec:
        """Parse the text of a buildspec. Raises `BuildspecError`."""
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise BuildspecError(f"YAML syntax error: {error}") from error
        content = _mapping(content, "the buildspec", _SECTIONS)
        if str(content.get("version")) != "0.2":
            raise BuildspecError(f"version must be 0.2, got {content.get('version')}")
        environment = _mapping(content.get("env", {}), "env", _ENVIRONMENT)
        exported = tuple(environment.get("exported-variables", []))
        for name in exported:
            if not _NAME.fullmatch(str(name)):
                raise BuildspecError(f"env.exported-variables: {name!r} is not a variable name")
        phases = _mapping(content.get("phases", {}), "phases", frozenset(PHASES))
        if not phases:
            raise BuildspecError("phases must contain at least one phase")
        return cls(
            variables=_texts(environment.get("variables", {}), "env.variables"),
            parameters=_texts(environment.get("parameter-store", {}), "env.parameter-store"),
            exported=exported,
            phases={name: _phase(name, item) for name, item in phases.items()},
        )


def _phase(name: str, item: Any) -> Phase:
    content = _mapping(item, f"phases.{name}", _PHASE_MEMBERS)
    on_failure = content.get("on-failure")
    if on_failure not in (None, "ABORT", "CONTINUE"):
        raise BuildspecError(f"phases.{name}.on-failure must be ABORT or CONTINUE, got {on_failure}")
    # post_build runs even after a failed build phase; a failed install or pre_build phase ends the build.
    aborts = on_failure == "ABORT" or (on_failure is None and name in ("install", "pre_build"))
    commands = _commands(content.get("commands", []), f"phases.{name}.commands")
    return Phase(commands, _commands(content.get("finally", []), f"phases.{name}.finally"), aborts)


def _commands(value: Any, path: str) -> tuple[str, ...]:
    commands = [value] if isinstance(value, str) else value
    if not isinstance(commands, list) or not all(isinstance(item, str) for item in commands):
        raise BuildspecError(f"{path} must be a list of commands, each a string")
    return tuple(commands)


def _mapping(value: Any, path: str, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BuildspecError(f"{path} must be a mapping")
    strange = sorted(str(name) for name in set(value) - known)
    if strange:
        raise BuildspecError(f"{path}: the local AWS does not support {', '.join(strange)}")
    return value


def _texts(value: Any, path: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BuildspecError(f"{path} must be a mapping")
    return {str(name): str(item) for name, item in value.items()}
