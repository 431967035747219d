"""What an application does beside the A/B test: it invokes the endpoint, and keeps the ids for the outcomes."""

from __future__ import annotations

import csv
import uuid
from typing import TYPE_CHECKING, Any

from mlops_constructs.deployed.sticky import StickyAssignment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


# region: invoke
def predict(runtime: Any, endpoint: str, row: str) -> tuple[str, str]:
    """Return the prediction, and the id by which its outcome is reported later."""
    inference_id = uuid.uuid4().hex
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=row, InferenceId=inference_id
    )
    return answer["Body"].read().decode().strip(), inference_id
    # endregion


# region: outcomes
def write_outcomes(path: Path, outcomes: Iterable[tuple[str, str]]) -> None:
    """Write the file for `mlops outcomes`: the id of each request, and what has become of it."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("inference_id", "outcome"), *outcomes])
    # endregion


# region: sticky
class StickyShop:
    """Users stay at one variant. One object for the whole program: it remembers the record for a minute."""

    def __init__(self, runtime: Any, pipeline: str, artifact_bucket: str) -> None:
        """Read nothing yet."""
        self._runtime, self._endpoint = runtime, f"{pipeline}-production"
        self._assignments = StickyAssignment(pipeline, artifact_bucket)

    def predict(self, user: str, row: str) -> tuple[str, str]:
        """Return the prediction for a user, and the id by which its outcome is reported later."""
        answer = self._assignments.invoke(
            self._runtime, user, EndpointName=self._endpoint, ContentType="text/csv", Accept="text/csv", Body=row
        )
        return answer["Body"].read().decode().strip(), answer["InferenceId"]
        # endregion
