"""A trainingjob.zip may request what the pipeline's configuration allows, and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from check_dataset.endpoints import parse_endpoints
from check_dataset.limits import check_limits
from check_dataset.settings import Document
from hypothesis import given
from hypothesis import strategies as st
from lambdas.lake import IRIS, Lake, make_lake
from lambdas.test_training_job_zip import LEAST, channel, workshop_deployment, workshop_job, zip_of

from handler_kit.errors import ConfigurationError
from mlops_constructs import Autoscaling, DataCapture, Endpoint, EndpointLimits, Training, TrainingLimits
from mlops_constructs.config.requests import AllowedEndpoint, AllowedTraining
from mlops_constructs.stages.deployment.parameters import fleet_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

DEV, PRODUCTION = Endpoint(), Endpoint.for_production()
NONE_ALLOWED = (TrainingLimits(), EndpointLimits(), EndpointLimits())


def document(
    training: TrainingLimits, dev: EndpointLimits, production: EndpointLimits, base: Endpoint = PRODUCTION
) -> Document:
    """What the construct writes for these limits, around the default configuration."""
    return Document(
        training=asdict(AllowedTraining.of(Training(), training)),
        dev=asdict(AllowedEndpoint.of(DEV, dev)),
        production=asdict(AllowedEndpoint.of(base, production)),
        ab_test=False,
    )


def refusal(request: dict[str, Any], limits: Document, base: Endpoint = PRODUCTION) -> str:
    """Why a request is refused; empty where it is not."""
    endpoints = {"dev": DEV, "production": base}
    configured = {
        name: fleet_parameters(one, AllowedEndpoint.of(one, EndpointLimits())) for name, one in endpoints.items()
    }
    try:
        check_limits({"training": {}, "endpoints": {}, **request}, limits, configured, "here")
    except ConfigurationError as error:
        return str(error)
    return ""


@pytest.fixture
def lake(
    load_event: Callable[..., dict[str, Any]],
    set_env: Callable[..., None],
    write_document: Callable[[object], None],
) -> Lake:
    """A pipeline that allows nothing beyond its configuration."""
    lake = make_lake(load_event, set_env, write_document)
    write_document(asdict(document(*NONE_ALLOWED)))
    for name in ("train", "validation"):
        lake.s3.put_object(Bucket="data", Key=f"input/{name}/a.csv", Body=IRIS)
    return lake


def job(**changes: Any) -> dict[str, Any]:
    channels = [channel(name, "s3://data/input") for name in ("train", "validation")]
    return workshop_job(InputDataConfig=channels, AlgorithmSpecification=None, **changes)


def test_everything_beyond_the_configuration_is_told_at_once(lake: Lake, reports: Any) -> None:
    lake.check_new("training_jobs/trainingjob.zip", zip_of(trainingjob=job(), deployment=workshop_deployment()))
    assert reports.kind == "ConfigurationError"
    for problem in (
        "ResourceConfig.InstanceType is ml.m4.xlarge (allowed: ml.m5.xlarge)",
        "StoppingCondition.MaxRuntimeInSeconds is 82800 (at most 3600)",
        "DevelopmentEndpoint.InstanceType is ml.t2.large (allowed: ml.m5.large)",
        "ProductionEndpoint.InstanceType is ml.c5.large (allowed: ml.m5.large)",
        "ProductionEndpoint.AutoScaling: MaxCapacity 10 (configured: 6), TargetValue 200 (configured: 750.0)",
        "ProductionEndpoint.InferenceMonitoring captures 100 % of the requests (configured: 20 %)",
        "allow them in the pipeline with Dataset(requests=Requests(...))",
    ):
        assert problem in reports.message
    assert lake.pinned() == {}


def test_a_data_set_that_requests_what_is_configured_is_taken(lake: Lake, reports: Any) -> None:
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 20}
    plain = job(ResourceConfig=resources, StoppingCondition={"MaxRuntimeInSeconds": 600})
    lake.check_new("training_jobs/trainingjob.zip", zip_of(trainingjob=plain))
    assert reports.outputs["Channels"] == "train,validation"


@pytest.mark.parametrize(
    ("members", "limits", "problem"),
    [
        ({"ResourceConfig": {"InstanceCount": 2}}, {"max_instance_count": 2}, "ResourceConfig.InstanceCount is 2"),
        (
            {"ResourceConfig": {"InstanceType": "ml.p4d.24xlarge"}},
            {"instance_types": ["ml.p4d.24xlarge"]},
            "ResourceConfig.InstanceType is ml.p4d.24xlarge (allowed: ml.m5.xlarge)",
        ),
        (
            {"ResourceConfig": {"VolumeSizeInGB": 31}},
            {"max_volume_size_in_gb": 31},
            "ResourceConfig.VolumeSizeInGB is 31 (at most 30)",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 3601}},
            {"max_runtime_in_seconds": 3601},
            "StoppingCondition.MaxRuntimeInSeconds is 3601 (at most 3600)",
        ),
        ({"Environment": {"LD_PRELOAD": "x"}}, {"environment": True}, "Environment sets LD_PRELOAD (must be empty)"),
    ],
)
def test_a_training_job_gets_more_only_where_it_is_allowed(
    members: dict[str, Any], limits: dict[str, Any], problem: str
) -> None:
    assert problem in refusal({"training": members}, document(*NONE_ALLOWED))
    allowed = document(TrainingLimits(**limits), EndpointLimits(), EndpointLimits())
    assert refusal({"training": members}, allowed) == ""


@pytest.mark.parametrize(
    ("parameters", "limits", "problem"),
    [
        ({"InitialInstanceCount": "1000"}, {"max_instance_count": 1000}, "InitialInstanceCount is 1000 (2 to 4)"),
        ({"InitialInstanceCount": "1"}, {"min_instance_count": 1}, "InitialInstanceCount is 1 (2 to 4)"),
        ({"InstanceType": "ml.c5.large"}, {"instance_types": ["ml.c5.large"]}, "InstanceType is ml.c5.large"),
        ({"Autoscales": "false"}, {"autoscaling": True}, "AutoScaling: Autoscales false (configured: true)"),
        ({"TargetValue": "9"}, {"autoscaling": True}, "AutoScaling: TargetValue 9 (configured: 750.0)"),
        (
            {"MaxCapacity": "5"},
            {"autoscaling": True, "max_instance_count": 5},
            "AutoScaling: MaxCapacity 5 (configured: 4)",
        ),
        ({"CaptureSampling": "0"}, {"min_sampling_percentage": 0}, "InferenceMonitoring captures 0 % of the requests"),
        ({"CaptureSampling": "5"}, {"min_sampling_percentage": 5}, "InferenceMonitoring captures 5 %"),
    ],
)
def test_production_changes_only_where_it_is_allowed(
    parameters: dict[str, str], limits: dict[str, Any], problem: str
) -> None:
    request = {"endpoints": {"production": parameters}}
    assert f"ProductionEndpoint.{problem}" in refusal(request, document(*NONE_ALLOWED))
    allowed = document(TrainingLimits(), EndpointLimits(), EndpointLimits(**limits))
    assert refusal(request, allowed) == ""


def test_autoscaling_is_allowed_within_the_number_of_instances() -> None:
    allowed = document(TrainingLimits(), EndpointLimits(), EndpointLimits(autoscaling=True, max_instance_count=5))
    request = {"endpoints": {"production": {"MaxCapacity": "6"}}}
    assert "ProductionEndpoint.MaxCapacity is 6 (2 to 5)" in refusal(request, allowed)


def test_capture_may_not_fall_below_the_limit() -> None:
    allowed = document(TrainingLimits(), EndpointLimits(), EndpointLimits(min_sampling_percentage=10))
    request = {"endpoints": {"production": {"CaptureSampling": "9"}}}
    assert "captures 9 % of the requests (at least 10 %)" in refusal(request, allowed)


def test_what_is_allowed_for_production_is_not_allowed_for_dev() -> None:
    allowed = document(TrainingLimits(), EndpointLimits(), EndpointLimits(max_instance_count=9))
    request = {"endpoints": {"dev": {"InitialInstanceCount": "9"}}}
    assert "DevelopmentEndpoint.InitialInstanceCount is 9 (1 to 1)" in refusal(request, allowed)


@given(
    base=st.builds(
        Endpoint,
        instance_type=st.sampled_from(["ml.m5.large", "ml.g5.xlarge"]),
        initial_instance_count=st.integers(2, 4),
        autoscaling=st.none() | st.builds(Autoscaling, invocations_per_instance=st.floats(0.001, 1e9)),
        data_capture=st.none() | st.builds(DataCapture, sampling_percentage=st.integers(1, 100)),
    )
)
def test_any_configuration_allows_itself(base: Endpoint) -> None:
    allowed = AllowedEndpoint.of(base, EndpointLimits())
    request = {"endpoints": {"production": fleet_parameters(base, allowed)}}
    assert refusal(request, document(*NONE_ALLOWED, base=base), base) == ""


def test_the_whole_of_the_workshops_deployment_can_be_allowed() -> None:
    production = EndpointLimits(
        instance_types=["ml.c5.large"], max_instance_count=10, autoscaling=True, min_sampling_percentage=20
    )
    dev = EndpointLimits(instance_types=["ml.t2.large"], min_sampling_percentage=0)
    asked = parse_endpoints(json.dumps(workshop_deployment()), "here", LEAST).parameters
    assert refusal({"endpoints": asked}, document(TrainingLimits(), dev, production)) == ""


@pytest.mark.parametrize("name", ["sagemaker_program", "sagemaker_submit_directory"])
def test_a_hyperparameter_that_chooses_the_code_is_refused(lake: Lake, reports: Any, name: str) -> None:
    chosen = job(HyperParameters={name: "s3://elsewhere/code.tar.gz"}, ResourceConfig=None, StoppingCondition=None)
    lake.check_new("training_jobs/trainingjob.zip", zip_of(trainingjob=chosen))
    assert f"HyperParameters.{name}: is not for a data set, because it can choose the code that runs" in reports.message
