"""Variables in an action's configuration: `#{Namespace.Key}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codepipeline.definition import MAX_VALUE_LENGTH
from mlops_constructs.local_aws.codepipeline.state import ActionFailedError, Execution

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}")


def resolved(configuration: Mapping[str, str], execution: Execution) -> dict[str, str]:
    """The configuration with every reference replaced.

    Raises `ActionFailedError`, which names the first reference that cannot be resolved, or the first value that is
    too long after its references are replaced.
    """
    known = {
        **execution.namespaces,
        "codepipeline": {"PipelineExecutionId": execution.id},
        "variables": execution.variables,
    }

    def value_of(match: re.Match[str]) -> str:
        namespace, key = match.groups()
        if namespace not in known:
            raise _unresolved(match.group(0), f"no action before this one has the namespace {namespace}")
        if key not in known[namespace]:
            has = ", ".join(sorted(known[namespace])) or "no variables"
            raise _unresolved(match.group(0), f"{namespace} has {has}")
        return known[namespace][key]

    values = {name: _REFERENCE.sub(value_of, value) for name, value in configuration.items()}
    for name, value in values.items():
        if len(value) > MAX_VALUE_LENGTH:
            reason = f"{name} has {len(value)} characters with its variables resolved, more than {MAX_VALUE_LENGTH}"
            raise ActionFailedError(reason, "ConfigurationError")
    return values


def _unresolved(reference: str, reason: str) -> ActionFailedError:
    return ActionFailedError(f"the variable {reference} cannot be resolved: {reason}", "ConfigurationError")
