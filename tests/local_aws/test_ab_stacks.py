"""Stacks of an endpoint whose second variant comes and goes: the order in which a stack update changes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_container import local_aws, make_role, push_container, upload_model, wait_until, write_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "release-artifacts"
NOTHING = {"Ref": "AWS::NoValue"}
ALL_AT_ONCE = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}


def _variant(name: str, weight: int) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": weight,
    }


def _if(condition: str, value: Any) -> dict[str, Any]:
    return {"Fn::If": [condition, value, NOTHING]}


SWITCHES = ("Secondary", "Scaled", "Guarded", "Broken")
ALARM = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Statistic": "Sum",
    "Period": {"Fn::If": ["Broken", 45, 60]},  # CloudWatch refuses a period of 45 seconds
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        **{name: {"Type": "String"} for name in ("Image", "ModelDataUrl", "ExecutionRoleArn")},
        **{name: {"Type": "String", "AllowedValues": ["yes", "no"]} for name in SWITCHES},
    },
    "Conditions": {name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in SWITCHES},
    "Resources": {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": {"Ref": "ExecutionRoleArn"},
                "PrimaryContainer": {"Image": {"Ref": "Image"}, "ModelDataUrl": {"Ref": "ModelDataUrl"}},
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [_variant("primary", 1), _if("Secondary", _variant("secondary", 0))],
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": {"Ref": "AWS::StackName"},
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                "RetainAllVariantProperties": True,
                "DeploymentConfig": _if("Guarded", {"BlueGreenUpdatePolicy": ALL_AT_ONCE}),
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Condition": "Scaled",
            "DependsOn": "Endpoint",
            "Properties": {
                "MinCapacity": 1,
                "MaxCapacity": 2,
                "ResourceId": {"Fn::Sub": "endpoint/${AWS::StackName}/variant/secondary"},
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "ServiceNamespace": "sagemaker",
            },
        },
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "DependsOn": "Endpoint", "Properties": ALARM},
    },
}
ALARM_FIRST = json.loads(json.dumps(TEMPLATE))
del ALARM_FIRST["Resources"]["Alarm"]["DependsOn"]
ALARM_FIRST["Resources"]["Endpoint"]["DependsOn"] = "Alarm"


class Stacks:
    """Stacks of the template above; all switches are off unless they are named."""

    def __init__(self, aws: LocalAws, image: str) -> None:
        self.aws = aws
        self.api = aws.client("cloudformation")
        self._count = 0
        self._given = {
            "Image": image,
            "ModelDataUrl": upload_model(aws, BUCKET, "model.tar.gz", "one"),
            "ExecutionRoleArn": make_role(aws, "serving", "sagemaker.amazonaws.com"),
        }
        self._role = make_role(aws, "deploying", "cloudformation.amazonaws.com")

    def create(self, *on: str, template: dict[str, Any] = TEMPLATE) -> str:
        self._count += 1
        name = f"stack-{self._count}"
        self.api.create_stack(**self._request(name, on, template))
        assert self.settled(name) == "CREATE_COMPLETE"
        return name

    def update(self, name: str, *on: str, template: dict[str, Any] = TEMPLATE) -> str:
        """Update a stack; gives its status afterwards."""
        self.api.update_stack(**self._request(name, on, template))
        return self.settled(name)

    def variants(self, name: str) -> list[str]:
        endpoint = self.aws.client("sagemaker").describe_endpoint(EndpointName=name)
        assert endpoint["EndpointStatus"] == "InService"
        return [one["VariantName"] for one in endpoint["ProductionVariants"]]

    def targets(self, name: str) -> list[str]:
        scaling = self.aws.client("application-autoscaling")
        found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return [one["ResourceId"] for one in found if one["ResourceId"].startswith(f"endpoint/{name}/")]

    def failures(self, name: str) -> dict[str, str]:
        """The reason of each resource that could not be updated."""
        events = self.api.describe_stack_events(StackName=name)["StackEvents"]
        return {
            one["LogicalResourceId"]: one["ResourceStatusReason"]
            for one in events
            if one["ResourceStatus"] == "UPDATE_FAILED"
        }

    def _request(self, name: str, on: tuple[str, ...], template: dict[str, Any]) -> dict[str, Any]:
        values = {**self._given, **{switch: "yes" if switch in on else "no" for switch in SWITCHES}}
        return {
            "StackName": name,
            "TemplateBody": json.dumps(template),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            "RoleARN": self._role,
        }

    def settled(self, name: str) -> str:
        def status() -> str | None:
            found = str(self.api.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            return None if found.endswith("_IN_PROGRESS") else found

        return str(wait_until(status))


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    with local_aws() as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        yield Stacks(aws, push_container(aws, write_container(tmp_path_factory.mktemp("container"))))


def test_a_second_variant_comes_and_goes_without_a_deployment_policy(stacks: Stacks) -> None:
    name = stacks.create("Guarded")

    assert stacks.update(name, "Secondary") == "UPDATE_COMPLETE"
    assert stacks.variants(name) == ["primary", "secondary"]
    assert stacks.update(name) == "UPDATE_COMPLETE"
    assert stacks.variants(name) == ["primary"]


def test_a_deployment_policy_refuses_a_second_variant(stacks: Stacks) -> None:
    name = stacks.create("Guarded")

    assert stacks.update(name, "Guarded", "Secondary") == "UPDATE_ROLLBACK_COMPLETE"

    assert "needs the same variant names" in stacks.failures(name)["Endpoint"]
    assert stacks.variants(name) == ["primary"]


def test_a_target_that_leaves_with_its_variant_is_still_registered_then(stacks: Stacks) -> None:
    name = stacks.create("Secondary", "Scaled")

    assert stacks.update(name) == "UPDATE_ROLLBACK_COMPLETE"

    assert "secondary must be deregistered as scalable targets" in stacks.failures(name)["Endpoint"]
    assert stacks.variants(name) == ["primary", "secondary"]
    assert stacks.targets(name) == [f"endpoint/{name}/variant/secondary"]


def test_a_variant_leaves_after_its_target(stacks: Stacks) -> None:
    name = stacks.create("Secondary", "Scaled")

    assert stacks.update(name, "Secondary") == "UPDATE_COMPLETE"
    assert (stacks.variants(name), stacks.targets(name)) == (["primary", "secondary"], [])
    assert stacks.update(name) == "UPDATE_COMPLETE"
    assert stacks.variants(name) == ["primary"]


def test_a_failure_after_a_changed_set_of_variants_cannot_be_rolled_back(stacks: Stacks) -> None:
    name = stacks.create("Guarded")

    # The rollback sends the old DeploymentConfig, with which the old variants are other names.
    assert stacks.update(name, "Secondary", "Broken") == "UPDATE_ROLLBACK_FAILED"

    assert "needs the same variant names" in stacks.failures(name)["Endpoint"]
    assert stacks.variants(name) == ["primary", "secondary"]
    with pytest.raises(ClientError, match="UPDATE_ROLLBACK_FAILED state and can not be updated"):
        stacks.update(name, "Secondary")
    stacks.api.continue_update_rollback(StackName=name)
    assert stacks.settled(name) == "UPDATE_ROLLBACK_FAILED"
    stacks.api.continue_update_rollback(StackName=name, ResourcesToSkip=["Endpoint"])
    assert stacks.settled(name) == "UPDATE_ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="is in UPDATE_ROLLBACK_COMPLETE state and can not continue rolling back"):
        stacks.api.continue_update_rollback(StackName=name)
    with pytest.raises(ClientError, match="is in UPDATE_ROLLBACK_COMPLETE state and can not be rolled back"):
        stacks.api.rollback_stack(StackName=name)


def test_an_update_that_was_not_rolled_back_can_be(stacks: Stacks) -> None:
    name = stacks.create()
    stack = stacks.aws.cloudformation.live_stack(name)
    assert stack is not None
    stack.move_to("UPDATE_FAILED", "a test")

    assert stacks.api.rollback_stack(StackName=name)["StackId"] == stack.id

    assert stacks.settled(name) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.update(name, "Secondary") == "UPDATE_COMPLETE"


def test_a_failure_before_the_changed_set_of_variants_is_rolled_back(stacks: Stacks) -> None:
    name = stacks.create("Guarded", template=ALARM_FIRST)

    assert stacks.update(name, "Secondary", "Broken", template=ALARM_FIRST) == "UPDATE_ROLLBACK_COMPLETE"

    assert set(stacks.failures(name)) == {"Alarm"}
    assert stacks.variants(name) == ["primary"]
    assert stacks.update(name, "Secondary", template=ALARM_FIRST) == "UPDATE_COMPLETE"


def test_a_changed_set_of_variants_is_rolled_back_to_a_stack_without_policy(stacks: Stacks) -> None:
    name = stacks.create()

    assert stacks.update(name, "Secondary", "Broken") == "UPDATE_ROLLBACK_COMPLETE"

    assert stacks.variants(name) == ["primary"]
