"""The CloudFormation templates of the endpoints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from stages.endpoint_templates import TEMPLATES

from mlops_constructs import Autoscaling, DataCapture, Endpoint, EndpointLimits, Rollout
from mlops_constructs.config.requests import AllowedEndpoint
from mlops_constructs.local_aws.cloudformation.intrinsics import Scope, TemplateError
from mlops_constructs.local_aws.cloudformation.template import Template
from mlops_constructs.stages.deployment.parameters import PARAMETERS
from mlops_constructs.stages.deployment.template import endpoint_template

PRODUCTION = Endpoint.for_production()
WIDE = EndpointLimits(instance_types=["ml.m5d.large"], max_instance_count=10, autoscaling=True)


def made(config: Endpoint, limits: EndpointLimits | None = None, **asked: str) -> dict[str, dict[str, Any]]:
    """What CloudFormation makes of the template: resources by name, resolved; ``asked`` are parameters of a release."""
    content = endpoint_template(config, limits and AllowedEndpoint.of(config, limits))
    template = Template.parse(json.dumps(content), {one["Type"] for one in content["Resources"].values()})
    given = {**{name: name for name in PARAMETERS}, **asked}
    values = template.parameter_values([{"ParameterKey": key, "ParameterValue": given[key]} for key in given])
    conditions = template.condition_values(values)
    pseudo = {"AWS::NoValue": None}
    scope = Scope({**pseudo, **values}, conditions, str, lambda name, attribute: f"{name}.{attribute}")
    return {one.logical_id: scope.resolve(one.properties) for one in template.ordered(conditions)}


def resource(config: Endpoint, name: str, limits: EndpointLimits | None = None, **asked: str) -> dict[str, Any]:
    return made(config, limits, **asked)[name]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "us-gov-west-1"])
def test_54_cfn_lint_finds_nothing(tmp_path: Path, region: str) -> None:
    for name, template in TEMPLATES.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(template))
    assert lint(tmp_path, region) == (0, "")


def test_cfn_lint_finds_what_is_wrong(tmp_path: Path) -> None:
    template = endpoint_template(PRODUCTION)
    template["Resources"]["ServerErrors"]["Properties"]["Treats"] = "notBreaching"
    (tmp_path / "wrong.json").write_text(json.dumps(template))
    status, said = lint(tmp_path, "us-east-1")
    assert status != 0
    assert "Treats" in said


def lint(folder: Path, region: str) -> tuple[int, str]:
    """Lint every template of a folder; warnings count."""
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", region, "--", *map(str, sorted(folder.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_59_a_deployment_keeps_weights_and_counts() -> None:
    endpoint = resource(PRODUCTION, "Endpoint")
    assert endpoint["RetainAllVariantProperties"] is True


def test_only_the_endpoint_has_a_fixed_name() -> None:
    assert resource(PRODUCTION, "Endpoint")["EndpointName"] == "EndpointName"
    assert "ModelName" not in resource(PRODUCTION, "Model")
    assert "EndpointConfigName" not in resource(PRODUCTION, "EndpointConfig")


def test_the_model_is_isolated_from_the_network() -> None:
    assert resource(Endpoint(), "Model")["EnableNetworkIsolation"] is True


def test_32_production_rolls_back_on_its_alarms() -> None:
    config = resource(PRODUCTION, "Endpoint")["DeploymentConfig"]
    alarms = {alarm["AlarmName"] for alarm in config["AutoRollbackConfiguration"]["Alarms"]}
    assert alarms == {"ServerErrors", "SlowAnswers"}
    for name in alarms:
        assert resource(PRODUCTION, name)["TreatMissingData"] == "notBreaching"


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Give every metric that an alarm watches."""
    watched = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return watched or [alarm]


@pytest.mark.parametrize("name", ["ServerErrors", "SlowAnswers"])
def test_an_alarm_watches_the_new_fleet_alone(name: str) -> None:
    for metric in metrics_of(resource(PRODUCTION, name)):
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        assert dimensions == {
            "EndpointName": "EndpointName",
            "VariantName": "primary",
            "EndpointConfigName": "EndpointConfig.EndpointConfigName",
        }


def test_errors_are_judged_as_a_share_of_enough_requests() -> None:
    rollout = Rollout(max_server_error_percent=2, min_requests=50)
    alarm = resource(Endpoint(initial_instance_count=2, rollout=rollout), "ServerErrors")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (2, "GreaterThanThreshold")
    (rate,) = [one for one in alarm["Metrics"] if one["ReturnData"]]
    assert rate["Expression"] == "IF(requests >= 50, 100 * FILL(errors, 0) / requests, 0)"
    assert {one["Id"]: one["MetricStat"]["Metric"]["MetricName"] for one in alarm["Metrics"] if one is not rate} == {
        "errors": "Invocation5XXErrors",
        "requests": "Invocations",
    }


def test_one_error_among_few_requests_rolls_nothing_back() -> None:
    alarm = resource(PRODUCTION, "ServerErrors")
    (rate,) = [one["Expression"] for one in alarm["Metrics"] if one["ReturnData"]]
    assert judged(rate, errors=1, requests=19) <= alarm["Threshold"]
    assert judged(rate, errors=1, requests=20) <= alarm["Threshold"]
    assert judged(rate, errors=2, requests=20) > alarm["Threshold"]


def judged(expression: str, *, errors: float, requests: float) -> float:
    """Work out the metric math of the alarm."""
    names = {
        "IF": lambda condition, yes, no: yes if condition else no,
        "FILL": lambda metric, _: metric,
        "errors": errors,
        "requests": requests,
    }
    return float(eval(expression, {"__builtins__": {}}, names))


def test_a_new_configuration_changes_data_capture() -> None:
    # SageMaker keeps counts and weights; DataCaptureConfig is no property that it keeps, or takes in this list.
    assert "ExcludeRetainedVariantProperties" not in resource(PRODUCTION, "Endpoint")
    on, off = (resource(PRODUCTION, "EndpointConfig", CaptureSampling=share) for share in ("20", "0"))
    assert "DataCaptureConfig" in on
    assert "DataCaptureConfig" not in off


def test_latency_alarm_is_in_microseconds() -> None:
    config = Endpoint(initial_instance_count=2, rollout=Rollout(max_latency_ms=250))
    assert resource(config, "SlowAnswers")["Threshold"] == 250_000


@pytest.mark.parametrize(
    ("rollout", "kind", "size"),
    [
        (Rollout.canary(step_percent=10), "CANARY", "CanarySize"),
        (Rollout.linear(step_percent=20), "LINEAR", "LinearStepSize"),
        (Rollout.all_at_once(), "ALL_AT_ONCE", None),
    ],
)
def test_traffic_moves_as_asked(rollout: Rollout, kind: str, size: str | None) -> None:
    endpoint = resource(Endpoint(initial_instance_count=2, rollout=rollout), "Endpoint")
    policy = endpoint["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    assert routing["Type"] == kind
    assert {name for name in routing if name.endswith("Size")} == ({size} if size else set())
    waits = (
        -(-100 // rollout.step_percent) * rollout.wait_interval_in_seconds
        if kind == "LINEAR"
        else 2 * rollout.wait_interval_in_seconds
    )
    assert policy["MaximumExecutionTimeoutInSeconds"] > waits


def test_dev_has_no_rollout_scaling_or_capture() -> None:
    resources = made(Endpoint())
    assert set(resources) == {"Model", "EndpointConfig", "Endpoint"}
    assert "DeploymentConfig" not in resources["Endpoint"]
    assert "DataCaptureConfig" not in resources["EndpointConfig"]


def test_autoscaling_tracks_invocations_of_the_variant() -> None:
    config = Endpoint(
        initial_instance_count=3, autoscaling=Autoscaling(min_capacity=2, max_capacity=9, invocations_per_instance=50)
    )
    target, policy = resource(config, "ScalableTarget"), resource(config, "ScalingPolicy")
    assert (target["MinCapacity"], target["MaxCapacity"]) == ("2", "9")
    assert target["ResourceId"] == "endpoint/EndpointName/variant/primary"
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == "50"
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    }


def test_capture_is_encrypted_and_sampled() -> None:
    capture = resource(Endpoint(data_capture=DataCapture(sampling_percentage=7)), "EndpointConfig")["DataCaptureConfig"]
    assert capture["InitialSamplingPercentage"] == "7"
    assert capture["KmsKeyId"] == "KmsKeyArn"


def test_a_release_may_ask_for_other_instances() -> None:
    asked = {"InstanceType": "ml.m5d.large", "InitialInstanceCount": "5", "EncryptVolume": "false"}
    config = resource(PRODUCTION, "EndpointConfig", WIDE, **asked)
    (variant,) = config["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5d.large", "5")
    assert "KmsKeyId" not in config


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"InstanceType": "ml.p4d.24xlarge"}, r"'InstanceType' must be one of AllowedValues \['ml.m5.large'\]"),
        ({"InitialInstanceCount": "5"}, "'InitialInstanceCount' must be within MinValue and MaxValue"),
        ({"InitialInstanceCount": "1"}, "'InitialInstanceCount' must be within MinValue and MaxValue"),
        ({"MaxCapacity": "1000"}, "'MaxCapacity' must be within MinValue and MaxValue"),
    ],
)
def test_a_template_refuses_what_the_pipeline_does_not_allow(asked: dict[str, str], rule: str) -> None:
    with pytest.raises(TemplateError, match=rule):
        made(PRODUCTION, **asked)


def test_a_release_may_switch_scaling_and_capture_off_and_on() -> None:
    without = made(PRODUCTION, Autoscales="false", CaptureSampling="0")
    assert {"ScalableTarget", "ScalingPolicy"} & set(without) == set()
    assert "DataCaptureConfig" not in without["EndpointConfig"]
    with_both = made(Endpoint(), WIDE, Autoscales="true", MinCapacity="3", MaxCapacity="8", CaptureSampling="50")
    assert (with_both["ScalableTarget"]["MinCapacity"], with_both["ScalableTarget"]["MaxCapacity"]) == ("3", "8")
    assert with_both["EndpointConfig"]["DataCaptureConfig"]["InitialSamplingPercentage"] == "50"


def test_every_choice_has_the_configured_value_as_its_default() -> None:
    parameters = endpoint_template(PRODUCTION)["Parameters"]
    assert {name for name, one in parameters.items() if "Default" not in one} == set(PARAMETERS)
    assert parameters["InstanceType"]["Default"] == PRODUCTION.instance_type
    assert parameters["InitialInstanceCount"]["Default"] == PRODUCTION.initial_instance_count


@pytest.mark.parametrize(("instance", "has_volume"), [("ml.m5.large", True), ("ml.m5d.large", False)])
def test_24_a_volume_and_a_download_time_are_the_variants(instance: str, has_volume: bool) -> None:
    config = Endpoint(volume_size_in_gb=50, model_data_download_timeout_in_seconds=900)
    limits = EndpointLimits(instance_types=["ml.m5.large", "ml.m5d.large"])
    asked = {"InstanceType": instance, "EncryptVolume": "true" if has_volume else "false"}
    (variant,) = resource(config, "EndpointConfig", limits, **asked)["ProductionVariants"]
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 900
    assert variant.get("VolumeSizeInGB") == (50 if has_volume else None)
    (plain,) = resource(Endpoint(), "EndpointConfig")["ProductionVariants"]
    assert {"VolumeSizeInGB", "ModelDataDownloadTimeoutInSeconds"}.isdisjoint(plain)


@pytest.mark.parametrize(
    ("instance", "has_key"), [("ml.m5.large", True), ("ml.m5d.large", False), ("ml.g5.xlarge", False)]
)
def test_volumes_are_encrypted_where_the_instance_takes_a_key(instance: str, has_key: bool) -> None:
    assert ("KmsKeyId" in resource(Endpoint(instance_type=instance), "EndpointConfig")) is has_key
