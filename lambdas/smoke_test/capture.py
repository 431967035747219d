"""Data capture: what an endpoint's configuration requires, and what the endpoint does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_capture(endpoint: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Raise StepError when an endpoint does not capture what its configuration requires.

    SageMaker serves on without capture, and nothing else reports it: monitoring would only find no data later.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfigSummary.html

    Args:
        endpoint: The response of DescribeEndpoint.
        config: The response of DescribeEndpointConfig, for the configuration that the endpoint runs.
    """
    wanted = config.get("DataCaptureConfig", {})
    percentage = wanted.get("InitialSamplingPercentage", 0)
    if not percentage or not wanted.get("EnableCapture", True):
        return
    running = endpoint.get("DataCaptureConfig", {})
    found = [
        "enabled" if running.get("EnableCapture") else "not enabled",
        f"its status is {running.get('CaptureStatus', 'unknown')}",
        f"it samples {running.get('CurrentSamplingPercentage', 0)} %",
    ]
    if found != ["enabled", "its status is Started", f"it samples {percentage} %"]:
        raise StepError(
            f"Endpoint {endpoint['EndpointName']} must capture {percentage} % of its requests, and does not: data"
            f" capture is {', '.join(found)}. Check that the model's role may write to {wanted['DestinationS3Uri']} and"
            " use its key, then retry the stage."
        )
