"""Names of SageMaker jobs: always the same for an execution, so that a redelivered event finds its job."""

from __future__ import annotations

import re

from handler_kit.errors import ConfigurationError

_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ATTEMPT = re.compile(r"-r([2-9])")


def job_name(prefix: str, execution_id: str, attempt: int = 1) -> str:
    """The name of an execution's job; the second and later attempts have their number at the end."""
    digits = re.sub(r"[^0-9a-f]", "", execution_id)[:12]
    if len(digits) < 12:
        raise ConfigurationError(f"execution_id {execution_id!r}: must contain at least 12 hex digits")
    name = f"{prefix}-{digits}" + (f"-r{attempt}" if attempt > 1 else "")
    if not _JOB_NAME.fullmatch(name):
        raise ConfigurationError(
            f"JOB_PREFIX {prefix!r}: {name!r} is not a job name (letters, digits, '-', at most 63)"
        )
    return name


def attempt_of(name: str, first_name: str) -> int | None:
    """The number of the execution's attempt that has this job name; ``None`` when it belongs to another execution."""
    if name == first_name:
        return 1
    match = _ATTEMPT.fullmatch(name.removeprefix(first_name)) if name.startswith(first_name) else None
    return int(match[1]) if match else None
