"""The endpoints of a deployed pipeline, invoked as a client does."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ..errors import MlopsError
from .clients import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .clients import Clients


def endpoint_of(client: Clients, stack: str) -> str:
    """Return the name of the endpoint in a CloudFormation stack."""
    with explained(f"the stack {stack} could not be looked up"):
        answer = client("cloudformation").describe_stacks(StackName=stack)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in answer["Stacks"][0]["Outputs"]}
    name: str = outputs["EndpointName"]
    return name


def predict(client: Clients, endpoint: str, rows: Sequence[Sequence[object]]) -> list[str]:
    """Invoke an endpoint with rows of features in CSV; return the prediction for each.

    Raises:
        MlopsError: when AWS refuses, or the number of predictions differs from the number of rows.
    """
    body = "\n".join(",".join(map(str, row)) for row in rows)
    with explained(f"the endpoint {endpoint} could not be invoked"):
        answer = client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=body.encode()
        )
        found = predictions(answer["Body"].read().decode(), len(rows))
    if len(found) != len(rows):
        raise MlopsError(f"{len(rows)} rows were sent, {len(found)} predictions came back")
    return found


def predictions(text: str, asked: int) -> list[str]:
    """Return the prediction for each of ``asked`` rows: the first value of a line.

    The built-in XGBoost returns several rows in one line; linear-learner and knn return JSON.
    """
    if text.lstrip().startswith("{"):
        return [str(one.get("predicted_label", one.get("score"))) for one in json.loads(text)["predictions"]]
    lines = [line.split(",") for line in text.split()]
    return lines[0] if len(lines) == 1 and len(lines[0]) == asked else [line[0] for line in lines]


def same(label: str, answer: str) -> bool:
    """Tell whether a prediction equals the label: the same text, or the same number."""
    try:
        return label == answer or math.isclose(float(label), float(answer), rel_tol=1e-6)
    except ValueError:
        return False
