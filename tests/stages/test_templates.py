"""The CloudFormation templates of the endpoints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_constructs import Autoscaling, DataCapture, Endpoint, Rollout
from mlops_constructs._aws.endpoint_template import endpoint_template

PRODUCTION = Endpoint.for_production()


def resource(config: Endpoint, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = endpoint_template(config)["Resources"][name]["Properties"]
    return properties


@pytest.mark.parametrize("config", [Endpoint(), PRODUCTION], ids=["dev", "production"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "us-gov-west-1"])
def test_cfn_lint_finds_nothing(tmp_path: Path, config: Endpoint, region: str) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps(endpoint_template(config)))
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", region, "--", str(template)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_deployment_keeps_weights_and_counts() -> None:
    endpoint = resource(PRODUCTION, "Endpoint")
    assert endpoint["RetainAllVariantProperties"] is True


def test_only_the_endpoint_has_a_fixed_name() -> None:
    assert resource(PRODUCTION, "Endpoint")["EndpointName"] == {"Ref": "EndpointName"}
    assert "ModelName" not in resource(PRODUCTION, "Model")
    assert "EndpointConfigName" not in resource(PRODUCTION, "EndpointConfig")


def test_the_model_is_isolated_from_the_network() -> None:
    assert resource(Endpoint(), "Model")["EnableNetworkIsolation"] is True


def test_production_rolls_back_on_its_alarms() -> None:
    config = resource(PRODUCTION, "Endpoint")["DeploymentConfig"]
    alarms = {alarm["AlarmName"]["Ref"] for alarm in config["AutoRollbackConfiguration"]["Alarms"]}
    assert alarms == {"ServerErrors", "SlowAnswers"}
    for name in alarms:
        assert resource(PRODUCTION, name)["TreatMissingData"] == "notBreaching"


def test_latency_alarm_is_in_microseconds() -> None:
    config = Endpoint(initial_instance_count=2, rollout=Rollout(maximum_latency_ms=250))
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
    waits = -(-100 // rollout.step_percent) * rollout.bake_seconds if kind == "LINEAR" else 2 * rollout.bake_seconds
    assert policy["MaximumExecutionTimeoutInSeconds"] > waits


def test_dev_has_no_rollout_scaling_or_capture() -> None:
    template = endpoint_template(Endpoint())
    assert set(template["Resources"]) == {"Model", "EndpointConfig", "Endpoint"}
    assert "DeploymentConfig" not in resource(Endpoint(), "Endpoint")
    assert "CaptureUri" not in template["Parameters"]


def test_autoscaling_tracks_invocations_of_the_variant() -> None:
    config = Endpoint(
        initial_instance_count=3, autoscaling=Autoscaling(minimum=2, maximum=9, invocations_per_instance=50)
    )
    target, policy = resource(config, "ScalableTarget"), resource(config, "ScalingPolicy")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 9)
    assert target["ResourceId"] == {"Fn::Sub": "endpoint/${EndpointName}/variant/primary"}
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 50
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    }


def test_capture_is_encrypted_and_sampled() -> None:
    capture = resource(Endpoint(data_capture=DataCapture(sampling_percent=7)), "EndpointConfig")["DataCaptureConfig"]
    assert capture["InitialSamplingPercentage"] == 7
    assert capture["KmsKeyId"] == {"Ref": "KmsKeyArn"}


@pytest.mark.parametrize(
    ("instance", "has_key"), [("ml.m5.large", True), ("ml.m5d.large", False), ("ml.g5.xlarge", False)]
)
def test_volumes_are_encrypted_where_the_instance_takes_a_key(instance: str, has_key: bool) -> None:
    assert ("KmsKeyId" in resource(Endpoint(instance_type=instance), "EndpointConfig")) is has_key
