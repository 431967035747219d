"""The values of faults that only AWS's own models can tell right from wrong."""

from __future__ import annotations

import difflib
from math import inf, isfinite

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.model import stack_states
from mlops_constructs.local_aws.service_quotas import quota_names


def skew(text: str) -> float:
    """Read by how many seconds a clock is ahead."""
    try:
        value = float(text)
    except ValueError:
        value = inf
    if not isfinite(value):
        raise ValueError("must be a number of seconds; below 0 for a clock that is behind")
    return value


def stack_state(text: str) -> str:
    """Read a state of CloudFormation."""
    if text not in stack_states():
        raise ValueError(f"must be a state of a stack: {', '.join(stack_states())}")
    return text


def quota(text: str) -> str:
    """Read the name of a quota of SageMaker."""
    if text not in quota_names():
        close = difflib.get_close_matches(text, quota_names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "they are named like 'ml.m5.xlarge for training job usage'"
        raise FaultError(f"SageMaker has no quota {text!r}; {hint}")
    return text
