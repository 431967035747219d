"""What a data set may not request, and may not change, because of an endpoint's mode of serving."""

from __future__ import annotations

import pytest
from check_dataset.fleet import check_fleets
from check_dataset.limits import check_limits
from check_dataset.settings import Document

from handler_kit.errors import ConfigurationError
from handler_kit.production import Stack
from mlops_constructs import Endpoint
from mlops_constructs.config.requests import AllowedEndpoint, AllowedTraining, EndpointLimits
from mlops_constructs.stages.deployment.parameters import fleet_parameters

REAL_TIME, SERVERLESS, QUEUED = Endpoint(), Endpoint.serverless(), Endpoint.asynchronous()
LIMITS = EndpointLimits(max_instance_count=9, autoscaling=True, min_sampling_percentage=0)


def configured(endpoint: Endpoint) -> dict[str, str]:
    return fleet_parameters(endpoint, AllowedEndpoint.of(endpoint, EndpointLimits()))


def request(endpoint: Endpoint, **parameters: str) -> None:
    """Request parameters for production."""
    allowed = AllowedEndpoint.of(endpoint, LIMITS)
    document = Document.__new__(Document)
    limits = {name: getattr(allowed, name) for name in AllowedEndpoint.__dataclass_fields__}
    object.__setattr__(document, "production", limits)
    object.__setattr__(document, "training", {name: 0 for name in AllowedTraining.__dataclass_fields__})
    asked = {"training": {}, "endpoints": {"production": parameters}}
    check_limits(asked, document, {"production": configured(endpoint)}, "deployment.json")


def test_a_serverless_endpoint_has_no_instances_to_request() -> None:
    with pytest.raises(ConfigurationError, match="InstanceType: the endpoint is serverless and has no such setting"):
        request(SERVERLESS, InstanceType="ml.m5.large")


def test_an_asynchronous_endpoint_has_no_capture_to_request() -> None:
    request(QUEUED, InitialInstanceCount="2", MaxCapacity="9")
    with pytest.raises(ConfigurationError, match="CaptureSampling: the endpoint is asynchronous"):
        request(QUEUED, CaptureSampling="50")


def running(endpoint: Endpoint) -> Stack:
    return Stack("iris-production", "arn", "UPDATE_COMPLETE", {"ModelPackageArn": "arn", **configured(endpoint)})


@pytest.mark.parametrize(
    ("now", "wanted", "words"),
    [
        (REAL_TIME, SERVERLESS, "Production is real-time, and the pipeline is configured to be serverless"),
        (SERVERLESS, REAL_TIME, "Production is serverless, and the pipeline is configured to be real-time"),
        (REAL_TIME, QUEUED, "Production is real-time, and the pipeline is configured to be asynchronous"),
    ],
)
def test_another_mode_is_refused_before_training(now: Endpoint, wanted: Endpoint, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        check_fleets({}, {"production": configured(wanted)}, running(now))


@pytest.mark.parametrize("endpoint", [REAL_TIME, SERVERLESS, QUEUED])
def test_the_same_mode_is_released_again(endpoint: Endpoint) -> None:
    check_fleets({}, {"production": configured(endpoint)}, running(endpoint))
