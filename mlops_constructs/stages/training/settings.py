"""Which SageMaker jobs belong to the pipeline, as environment variables of the functions that find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.naming import tuning_prefix

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ...config import Tuning


def job_settings(env: Environment, tuning: Tuning | None) -> dict[str, str]:
    """Return the kind and the name prefix of the jobs."""
    if tuning is None:
        return {"JOB_KIND": "training", "JOB_PREFIX": env.name}
    return {"JOB_KIND": "tuning", "JOB_PREFIX": tuning_prefix(env.name)}
