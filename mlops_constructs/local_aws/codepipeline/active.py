"""How many executions of a pipeline may run and wait at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codepipeline.state import Status
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_constructs.local_aws.codepipeline.state import Execution
    from mlops_constructs.local_aws.service import Params

# AWS's page of quotas does not have this number: https://github.com/floci-io/floci/pull/3503
MAX_ACTIVE = {"QUEUED": 50, "PARALLEL": 50}


def check_active(pipeline: Params, executions: Iterable[Execution]) -> None:
    """Raise ConcurrentPipelineExecutionsLimitExceededException when as many run and wait as AWS takes."""
    most = MAX_ACTIVE.get(pipeline.get("executionMode", "SUPERSEDED"))
    active = sum(one.status in (Status.IN_PROGRESS, Status.STOPPING) for one in executions)
    if most is not None and active >= most:
        raise AwsError(
            "ConcurrentPipelineExecutionsLimitExceededException",
            f"The pipeline {pipeline['name']} has reached the limit of {most} concurrent pipeline executions.",
        )
