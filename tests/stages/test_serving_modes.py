"""Templates and policies of serverless and asynchronous endpoints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import synth

from mlops_constructs import AsyncInferenceConfig, Autoscaling, Endpoint, Rollout
from mlops_constructs.config.requests import AllowedEndpoint, EndpointLimits
from mlops_constructs.local_aws.cloudformation.intrinsics import Scope
from mlops_constructs.local_aws.cloudformation.template import Template
from mlops_constructs.stages.deployment.parameters import fixed_parameters
from mlops_constructs.stages.deployment.template import endpoint_template

TOPICS = AsyncInferenceConfig(success_topic="one", error_topic="other", max_concurrent_invocations_per_instance=4)
TOPIC = "arn:aws:sns:us-east-1:123456789012:errors"
SERVERLESS = Endpoint.serverless(provisioned_concurrency=2)
QUEUED = Endpoint.asynchronous(rollout=Rollout.all_at_once(), async_inference_config=TOPICS)


def made(config: Endpoint, **asked: str) -> dict[str, dict[str, Any]]:
    """What CloudFormation makes of the template: resources by name, resolved; ``asked`` are parameters of a release."""
    content = endpoint_template(config)
    template = Template.parse(json.dumps(content), {one["Type"] for one in content["Resources"].values()})
    given = {**{name: name for name in fixed_parameters(config)}, **asked}
    values = template.parameter_values([{"ParameterKey": key, "ParameterValue": given[key]} for key in given])
    conditions = template.condition_values(values)
    scope = Scope({"AWS::NoValue": None, **values}, conditions, str, lambda name, attribute: f"{name}.{attribute}")
    return {one.logical_id: scope.resolve(one.properties) for one in template.ordered(conditions)}


def test_a_serverless_endpoint_is_a_model_a_configuration_and_an_endpoint() -> None:
    found = made(SERVERLESS)
    assert set(found) == {"Model", "EndpointConfig", "Endpoint"}
    (variant,) = found["EndpointConfig"]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {
        "MemorySizeInMB": "2048",
        "MaxConcurrency": "5",
        "ProvisionedConcurrency": "2",
    }
    assert not variant.keys() & {"InstanceType", "InitialInstanceCount", "ContainerStartupHealthCheckTimeoutInSeconds"}
    assert "RetainAllVariantProperties" not in found["Endpoint"]


def test_serverless_has_nothing_that_sagemaker_excludes() -> None:
    found = made(SERVERLESS)
    assert not found["Model"].keys() & {"EnableNetworkIsolation", "VpcConfig"}
    assert not found["EndpointConfig"].keys() & {"DataCaptureConfig", "KmsKeyId"}
    assert "DeploymentConfig" not in found["Endpoint"]


def test_without_provisioned_concurrency_the_member_is_left_out() -> None:
    (variant,) = made(Endpoint.serverless())["EndpointConfig"]["ProductionVariants"]
    assert variant["ServerlessConfig"].get("ProvisionedConcurrency") is None


def test_an_asynchronous_endpoint_reads_and_writes_in_its_own_folders() -> None:
    config = made(QUEUED)["EndpointConfig"]
    assert config["AsyncInferenceConfig"] == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        "OutputConfig": {
            "S3OutputPath": "AsyncInferenceUri/output",
            "S3FailurePath": "AsyncInferenceUri/failure",
            "KmsKeyId": "KmsKeyArn",
            "NotificationConfig": {"SuccessTopic": "SuccessTopic", "ErrorTopic": "ErrorTopic"},
        },
    }
    assert "DataCaptureConfig" not in config
    assert endpoint_template(QUEUED)["Outputs"]["AsyncInferenceUri"]


def test_an_asynchronous_model_is_isolated_from_the_network() -> None:
    assert made(QUEUED)["Model"]["EnableNetworkIsolation"] is True


def test_a_release_of_an_asynchronous_endpoint_starts_instances_again() -> None:
    endpoint = made(QUEUED)["Endpoint"]
    assert endpoint["RetainAllVariantProperties"] is True
    assert endpoint["ExcludeRetainedVariantProperties"] == [{"VariantPropertyType": "DesiredInstanceCount"}]


def test_it_scales_to_zero_on_its_backlog_and_a_waiting_request_wakes_it() -> None:
    found = made(QUEUED)
    assert (found["ScalableTarget"]["MinCapacity"], found["ScalableTarget"]["MaxCapacity"]) == ("0", "4")
    tracking = found["ScalingPolicy"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert tracking["TargetValue"] == "5.0"
    assert found["Backlog"]["MetricName"] == "HasBacklogWithoutCapacity"
    assert found["Backlog"]["AlarmActions"] == ["WakePolicy"]
    (step,) = found["WakePolicy"]["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert step == {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}


def test_with_a_fixed_number_of_instances_nothing_scales_or_wakes() -> None:
    found = made(Endpoint.asynchronous(autoscaling=None))
    assert not found.keys() & {"ScalableTarget", "ScalingPolicy", "WakePolicy", "Backlog"}


def test_the_rollback_alarm_counts_responses_where_no_invocations_are_published() -> None:
    metrics = made(QUEUED)["ServerErrors"]["Metrics"]
    measured = {
        one["Id"]: (one["MetricStat"]["Metric"]["MetricName"], one["MetricStat"]["Stat"]) for one in metrics[1:]
    }
    assert measured == {"errors": ("Invocation5XXErrors", "Sum"), "requests": ("Invocation5XXErrors", "SampleCount")}


def test_an_instance_count_of_zero_is_for_autoscaling_only() -> None:
    limits = EndpointLimits(min_instance_count=1)
    parameters = endpoint_template(QUEUED, AllowedEndpoint.of(QUEUED, limits))["Parameters"]
    assert parameters["MinCapacity"]["MinValue"] == 0
    assert parameters["InitialInstanceCount"]["MinValue"] == 1


def actions(policy: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for one in policy:
        found |= {one["Action"]} if isinstance(one["Action"], str) else set(one["Action"])
    return found


def test_the_roles_of_a_serverless_endpoint_may_not_scale_capture_or_use_volumes() -> None:
    stack = synth(dev=SERVERLESS, production=SERVERLESS)
    deploy, model = stack.policy("deploy-production"), stack.policy("model-production")
    assert not [one for one in actions(deploy) if one.startswith(("application-autoscaling:", "cloudwatch:", "kms:"))]
    assert not actions(model) & {"s3:PutObject", "kms:CreateGrant", "kms:GenerateDataKey"}
    assert "kms:Decrypt" in actions(model)
    (config,) = [one for one in deploy if one["Action"] == "sagemaker:CreateEndpointConfig"]
    assert config["Condition"]["NumericLessThanEquals"] == {
        "sagemaker:ServerlessMaxConcurrency": "5",
        "sagemaker:ServerlessMemorySize": "2048",
    }
    assert config["Condition"]["Null"] == {"sagemaker:InstanceTypes": "true"}


def test_an_asynchronous_container_reads_requests_and_writes_responses_of_its_endpoint_only() -> None:
    stack = synth(production=Endpoint.asynchronous(async_inference_config=AsyncInferenceConfig(error_topic=TOPIC)))
    model = stack.policy("model-production")
    written = [one["Resource"] for one in model if "s3:PutObject" in one["Action"]]
    ((output, failure),) = written
    assert "/production/output/*" in output
    assert "/production/failure/*" in failure
    assert [one["Resource"] for one in model if one["Action"] == "sns:Publish"] == [[TOPIC]]


def test_the_smoke_test_of_an_asynchronous_endpoint_may_not_invoke_it_at_once() -> None:
    stack = synth(production=Endpoint.asynchronous())
    found = actions(stack.policy("smoke-test-production"))
    assert "sagemaker:InvokeEndpointAsync" in found
    assert "sagemaker:InvokeEndpoint" not in found
    assert "sagemaker:InvokeEndpointAsync" not in actions(stack.policy("smoke-test-dev"))


def test_a_topic_reaches_the_stack_as_a_parameter() -> None:
    stack = synth(production=Endpoint.asynchronous(async_inference_config=AsyncInferenceConfig(error_topic=TOPIC)))
    register = stack.one("aws_lambda_function", handler="register_model.handler.handler")
    production = json.loads(register["environment"]["variables"]["STACK_PARAMETERS"])["production"]
    assert production["ErrorTopic"] == TOPIC
    assert production["AsyncInferenceUri"].endswith("/production")
    assert "CaptureUri" not in production


def test_autoscaling_on_invocations_is_what_it_was() -> None:
    found = made_real_time()
    assert "PredefinedMetricSpecification" in found["ScalingPolicy"]["TargetTrackingScalingPolicyConfiguration"]
    assert "WakePolicy" not in found


def made_real_time() -> dict[str, dict[str, Any]]:
    return made(Endpoint(initial_instance_count=2, autoscaling=Autoscaling()))


@pytest.mark.parametrize(
    ("production", "shown", "hidden"),
    [
        (Endpoint.serverless(), "ModelSetupTime", "InvocationsPerInstance"),
        (Endpoint.asynchronous(), "HasBacklogWithoutCapacity", '"Invocations"'),
        (Endpoint(), "InvocationsPerInstance", "HasBacklogWithoutCapacity"),
    ],
)
def test_the_dashboard_shows_what_the_mode_publishes(production: Endpoint, shown: str, hidden: str) -> None:
    stack = synth(production=production)
    (dashboard,) = stack.all("aws_cloudwatch_dashboard").values()
    text = json.dumps(dashboard)
    of_production = text.partition("Production: invocations")[2].partition("title")[2]
    assert shown in of_production
    assert hidden not in json.dumps(
        [one for one in text.split("title") if one.lstrip('\\": ').startswith("Production")]
    )


@pytest.mark.parametrize(
    ("production", "counted"),
    [
        (Endpoint(), ("Invocations", "Sum")),
        (Endpoint.serverless(), ("Invocations", "Sum")),
        (Endpoint.asynchronous(), ("Invocation5XXErrors", "SampleCount")),
    ],
)
def test_the_alarms_of_production_count_requests_as_the_mode_publishes_them(
    production: Endpoint, counted: tuple[str, str]
) -> None:
    alarms = synth(production=production).all("aws_cloudwatch_metric_alarm").values()
    queries = [query for alarm in alarms for query in alarm.get("metric_query", []) if query["id"] == "requests"]
    assert {(one["metric"]["metric_name"], one["metric"]["stat"]) for one in queries} == {counted}
