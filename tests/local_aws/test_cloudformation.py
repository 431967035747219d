"""CloudFormation of the local AWS."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from local_aws.tiny_container import local_aws, make_role, push_container, upload_model, wait_until, write_container

from mlops_constructs.local_aws.cloudformation.intrinsics import Scope, TemplateError, references
from mlops_constructs.local_aws.cloudformation.template import Template
from mlops_constructs.local_aws.sagemaker import model_limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "release-artifacts"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
VARIANT = {
    "VariantName": "primary",
    "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": {"Ref": "InstanceCount"},
    "InitialVariantWeight": 1,
}
TEMPLATE: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "an endpoint",
    "Parameters": {
        "Image": {"Type": "String"},
        "ModelDataUrl": {"Type": "String"},
        "ExecutionRoleArn": {"Type": "String"},
        "EndpointName": {"Type": "String", "AllowedPattern": "[a-z0-9-]+"},
        "Mode": {"Type": "String", "Default": ""},
        "InstanceCount": {"Type": "Number", "Default": 2, "MinValue": 1},
        "Scaled": {"Type": "String", "Default": "yes", "AllowedValues": ["yes", "no"]},
    },
    "Conditions": {"IsScaled": {"Fn::Equals": [{"Ref": "Scaled"}, "yes"]}},
    "Resources": {
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Condition": "IsScaled",
            "Properties": {
                "PolicyName": {"Fn::Sub": "${AWS::StackName}-invocations"},
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": "100",
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                },
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Condition": "IsScaled",
            "DependsOn": "Endpoint",
            "Properties": {
                "MinCapacity": 2,
                "MaxCapacity": 4,
                "ResourceId": {"Fn::Join": ["/", ["endpoint", {"Ref": "EndpointName"}, "variant", "primary"]]},
                "ScalableDimension": DIMENSION,
                "ServiceNamespace": "sagemaker",
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/SageMaker",
                "MetricName": "Invocation5XXErrors",
                "Dimensions": [{"Name": "EndpointName", "Value": {"Ref": "EndpointName"}}],
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": {"Ref": "EndpointName"},
                "EndpointConfigName": {"Fn::GetAtt": "Config.EndpointConfigName"},
                "RetainAllVariantProperties": "true",
                "DeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": {"Ref": "Alarm"}}]}},
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [VARIANT]},
        },
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": {"Ref": "ExecutionRoleArn"},
                "PrimaryContainer": {
                    "Image": {"Ref": "Image"},
                    "ModelDataUrl": {"Ref": "ModelDataUrl"},
                    "Environment": {"MODE": {"Ref": "Mode"}},
                },
            },
        },
    },
    "Outputs": {
        "EndpointArn": {"Value": {"Ref": "Endpoint"}},
        "Name": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
    },
}


class Stacks:
    """Makes stacks of the template above, each with a name of its own."""

    def __init__(self, aws: LocalAws, image: str) -> None:
        self.aws = aws
        self.api = aws.client("cloudformation")
        self._given = {
            "Image": image,
            "ExecutionRoleArn": make_role(aws, "serving", "sagemaker.amazonaws.com"),
            "ModelDataUrl": self.model("one"),
        }
        self.role = make_role(aws, "deploying", "cloudformation.amazonaws.com")
        self._count = 0

    def model(self, answer: str) -> str:
        return upload_model(self.aws, BUCKET, f"{answer}/model.tar.gz", answer)

    def request(self, name: str, template: dict[str, Any] = TEMPLATE, **changes: str) -> dict[str, Any]:
        values = {**self._given, "EndpointName": name, **changes}
        return {
            "StackName": name,
            "TemplateBody": json.dumps(template),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            "RoleARN": self.role,
        }

    def name(self) -> str:
        self._count += 1
        return f"stack-{self._count}"

    def create(self, template: dict[str, Any] = TEMPLATE, **changes: str) -> dict[str, Any]:
        request = self.request(self.name(), template, **changes)
        self.api.create_stack(**request)
        return self.settled(request["StackName"])

    def update(self, name: str, template: dict[str, Any] = TEMPLATE, **changes: str) -> dict[str, Any]:
        self.api.update_stack(**self.request(name, template, **changes))
        return self.settled(name)

    def settled(self, name: str) -> dict[str, Any]:
        def described() -> dict[str, Any] | None:
            stack: dict[str, Any] = self.api.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        stack: dict[str, Any] = wait_until(described)
        return stack

    def told(self, name: str) -> list[tuple[str, str, str]]:
        events = reversed(self.api.describe_stack_events(StackName=name)["StackEvents"])
        return [
            (item["LogicalResourceId"], item["ResourceStatus"], item.get("ResourceStatusReason", "")) for item in events
        ]

    def physical_ids(self, name: str) -> dict[str, str]:
        resources = self.api.describe_stack_resources(StackName=name)["StackResources"]
        return {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in resources}

    def answer(self, name: str) -> str:
        runtime = self.aws.client("sagemaker-runtime")
        body = runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read()
        return str(json.loads(body)["answer"])

    def left(self, name: str) -> list[str]:
        """The names of everything in the account that a stack of this name has made."""
        sagemaker = self.aws.client("sagemaker")
        names = [item["ModelName"] for item in sagemaker.list_models()["Models"]]
        configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
        names += [item["EndpointConfigName"] for item in configs]
        names += [item["EndpointName"] for item in sagemaker.list_endpoints()["Endpoints"]]
        alarms = self.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        names += [item["AlarmName"] for item in alarms]
        scaling = self.aws.client("application-autoscaling")
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        names += [item["ResourceId"].split("/")[1] for item in targets]
        return [item for item in names if item == name or item.startswith(f"{name}-")]


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    with local_aws() as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        yield Stacks(aws, push_container(aws, write_container(tmp_path_factory.mktemp("container"))))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The template with one member changed; the path is separated by slashes."""
    template = copy.deepcopy(TEMPLATE)
    *parents, last = path.split("/")
    node = template
    for parent in parents:
        node = node[parent]
    node[last] = value
    return template


def test_created_stack_serves(stacks: Stacks) -> None:
    stack = stacks.create()

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stacks.answer(stack["StackName"]) == "one"
    assert stack["Description"] == "an endpoint"
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    assert outputs["Name"] == stack["StackName"]
    assert outputs["EndpointArn"].startswith("arn:aws:sagemaker:")


def test_description_shows_the_parameters(stacks: Stacks) -> None:
    stack = stacks.create(Scaled="no")

    values = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    assert values["ModelDataUrl"] == f"s3://{BUCKET}/one/model.tar.gz"
    assert values["InstanceCount"] == "2"
    assert stack["RoleARN"] == stacks.role


def test_physical_ids_are_as_on_aws(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]

    ids = stacks.physical_ids(name)

    assert ids["Model"].startswith(f"arn:aws:sagemaker:us-east-1:123456789012:model/{name}-Model-")
    assert ids["Endpoint"].endswith(f":endpoint/{name}")
    assert ids["Target"] == f"endpoint/{name}/variant/primary|{DIMENSION}|sagemaker"
    assert ids["Policy"].startswith("arn:aws:autoscaling:")
    assert ids["Alarm"].startswith(f"{name}-Alarm-")


def test_false_condition_leaves_its_resources_out(stacks: Stacks) -> None:
    name = stacks.create(Scaled="no")["StackName"]

    assert set(stacks.physical_ids(name)) == {"Model", "Config", "Endpoint", "Alarm"}


def test_resources_are_made_in_order_of_dependency(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]

    made = [item for item, status, _ in stacks.told(name) if status == "CREATE_COMPLETE"]

    assert made[-1] == name
    for earlier, later in [
        ("Model", "Config"), ("Config", "Endpoint"), ("Alarm", "Endpoint"), ("Endpoint", "Target"), ("Target", "Policy")
    ]:  # fmt: skip
        assert made.index(earlier) < made.index(later)


def test_failed_creation_rolls_back_and_tells_the_first_reason(stacks: Stacks) -> None:
    stack = stacks.create(Mode="exit")
    name = stack["StackName"]

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    failures = [(item, reason) for item, status, reason in stacks.told(name) if status == "CREATE_FAILED"]
    assert [item for item, _ in failures] == ["Endpoint"]
    assert "the model cannot be loaded" in failures[0][1]
    assert ("ROLLBACK_IN_PROGRESS", True) in [
        (status, "[Endpoint]" in reason) for _, status, reason in stacks.told(name)
    ]
    assert stacks.left(name) == []


def test_rolled_back_stack_can_only_be_deleted(stacks: Stacks) -> None:
    name = stacks.create(Mode="exit")["StackName"]

    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        stacks.update(name)
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        stacks.api.create_stack(**stacks.request(name))
    stacks.api.delete_stack(StackName=name)
    wait_until(lambda: name not in living(stacks))


def test_update_replaces_model_and_configuration(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]
    before = stacks.physical_ids(name)

    stack = stacks.update(name, ModelDataUrl=stacks.model("two"))

    after = stacks.physical_ids(name)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert {item for item in after if after[item] != before[item]} == {"Model", "Config"}
    assert stacks.answer(name) == "two"
    assert len([item for item in stacks.left(name) if "-Model-" in item]) == 1


def test_failed_update_puts_everything_back(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]
    before = stacks.physical_ids(name)

    stack = stacks.update(name, ModelDataUrl=stacks.model("two"), Mode="exit")

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.physical_ids(name) == before
    assert stacks.answer(name) == "one"
    values = {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}
    assert values["Mode"] == ""
    failed = [reason for item, status, reason in stacks.told(name) if (item, status) == ("Endpoint", "UPDATE_FAILED")]
    assert "the model cannot be loaded" in failed[0]
    assert len(stacks.left(name)) == 5


def test_24_a_model_too_large_for_the_volume_is_rolled_back_with_the_reason(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = stacks.create()["StackName"]
    monkeypatch.setattr(model_limits, "GIGABYTE", 1)
    stack = stacks.update(name, ModelDataUrl=stacks.model("two"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.answer(name) == "one"
    failed = [reason for item, status, reason in stacks.told(name) if (item, status) == ("Endpoint", "UPDATE_FAILED")]
    assert "The model data archive is too large. Please reduce the size" in failed[0]
    template = changed("Resources/Config/Properties/ProductionVariants", [{**VARIANT, "VolumeSizeInGB": 512}])
    monkeypatch.setattr(model_limits, "GIGABYTE", 1024)
    assert stacks.update(name, template, ModelDataUrl=stacks.model("two"))["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.answer(name) == "two"


def test_24_a_model_whose_download_takes_too_long_is_rolled_back_with_the_reason(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = {**VARIANT, "ModelDataDownloadTimeoutInSeconds": 60}
    template = changed("Resources/Config/Properties/ProductionVariants", [variant])
    name = stacks.create(template)["StackName"]
    monkeypatch.setattr(model_limits, "BYTES_PER_SECOND", 1)
    stack = stacks.update(name, template, ModelDataUrl=stacks.model("two"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.answer(name) == "one"
    failed = [reason for item, status, reason in stacks.told(name) if (item, status) == ("Endpoint", "UPDATE_FAILED")]
    assert "Failed to download model data from URL" in failed[0]
    longer = changed(
        "Resources/Config/Properties/ProductionVariants", [{**variant, "ModelDataDownloadTimeoutInSeconds": 3600}]
    )
    assert stacks.update(name, longer, ModelDataUrl=stacks.model("two"))["StackStatus"] == "UPDATE_COMPLETE"


def test_failure_after_the_endpoint_brings_the_endpoint_back(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]
    broken = changed("Resources/Policy/Properties/PolicyType", "NoSuchType")

    stack = stacks.update(name, broken, ModelDataUrl=stacks.model("two"))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.answer(name) == "one"


def test_update_after_a_rollback_succeeds(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]
    stacks.update(name, Mode="exit")

    assert stacks.update(name, ModelDataUrl=stacks.model("two"))["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.answer(name) == "two"


def stuck(stacks: Stacks) -> str:
    """Make a stack whose endpoint somebody deleted, so that neither an update nor its rollback can change it."""
    name = str(stacks.create()["StackName"])
    stacks.aws.client("sagemaker").delete_endpoint(EndpointName=name)
    wait_until(lambda: not stacks.aws.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"])
    assert stacks.update(name, ModelDataUrl=stacks.model("two"))["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    return name


def test_27_a_rollback_goes_on_when_its_reason_has_ended(stacks: Stacks) -> None:
    name = stuck(stacks)
    config = stacks.physical_ids(name)["Config"].rpartition("/")[2]
    configs = stacks.aws.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    (config_name,) = [one["EndpointConfigName"] for one in configs if one["EndpointConfigName"].lower() == config]
    sagemaker = stacks.aws.client("sagemaker")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config_name)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    stacks.api.continue_update_rollback(StackName=name)
    assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.answer(name) == "one"
    assert len(stacks.left(name)) == 5
    assert stacks.update(name, ModelDataUrl=stacks.model("two"))["StackStatus"] == "UPDATE_COMPLETE"


def test_27_a_resource_that_cannot_be_restored_is_skipped(stacks: Stacks) -> None:
    name = stuck(stacks)
    stacks.api.continue_update_rollback(StackName=name)
    assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(ClientError, match=r"\[Model\] do not belong"):
        stacks.api.continue_update_rollback(StackName=name, ResourcesToSkip=["Model"])
    stacks.api.continue_update_rollback(StackName=name, ResourcesToSkip=["Endpoint"])
    assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="UPDATE_ROLLBACK_COMPLETE state and can not continue rolling back"):
        stacks.api.continue_update_rollback(StackName=name)


def test_27_an_update_that_failed_without_a_rollback_is_rolled_back(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]
    with pytest.raises(ClientError, match="CREATE_COMPLETE state and can not be rolled back"):
        stacks.api.rollback_stack(StackName=name)
    stacks.aws.cloudformation.stack(name).move_to("UPDATE_FAILED", "a test")
    stacks.api.rollback_stack(StackName=name)
    assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.answer(name) == "one"


def test_removed_resource_is_deleted(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]

    stacks.update(name, Scaled="no")

    assert "Target" not in stacks.physical_ids(name)
    assert stacks.api.list_stack_resources(StackName=name)["StackResourceSummaries"]
    assert len(stacks.left(name)) == 4


def test_capacity_is_kept_over_a_deployment(stacks: Stacks) -> None:
    name = stacks.create()["StackName"]
    sagemaker = stacks.aws.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "primary", "DesiredInstanceCount": 4}],
    )
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")

    stacks.update(name, ModelDataUrl=stacks.model("two"))

    (shown,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert shown["CurrentInstanceCount"] == 4


def test_update_without_changes_is_refused(stacks: Stacks) -> None:
    name = stacks.create(Scaled="no")["StackName"]

    with pytest.raises(ClientError, match=r"No updates are to be performed\."):
        stacks.update(name, Scaled="no")


def test_custom_named_resource_is_not_replaced(stacks: Stacks) -> None:
    template = changed("Resources/Model/Properties/ModelName", "fixed-name")
    name = stacks.create(template, Scaled="no")["StackName"]

    stack = stacks.update(name, template, Scaled="no", ModelDataUrl=stacks.model("two"))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("custom-named resource" in reason for _, _, reason in stacks.told(name))


def test_deleted_stack_leaves_nothing(stacks: Stacks) -> None:
    stack = stacks.create()
    name = stack["StackName"]
    stacks.api.delete_stack(StackName=name)

    wait_until(lambda: name not in living(stacks))

    assert stacks.left(name) == []
    with pytest.raises(ClientError, match="does not exist"):
        stacks.api.describe_stacks(StackName=name)
    gone = stacks.api.describe_stacks(StackName=stack["StackId"])["Stacks"][0]
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    assert name in [item["StackName"] for item in stacks.api.list_stacks()["StackSummaries"]]


def living(stacks: Stacks) -> list[str]:
    return [item["StackName"] for item in stacks.api.describe_stacks()["Stacks"]]


def test_change_set_creates_and_then_updates_a_stack(stacks: Stacks) -> None:
    name = stacks.name()
    stacks.api.create_change_set(ChangeSetName="release", ChangeSetType="CREATE", **stacks.request(name))
    review = stacks.api.describe_stacks(StackName=name)["Stacks"][0]
    assert review["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert changes(stacks, name)["Model"] == ("Add", None)
    stacks.api.execute_change_set(ChangeSetName="release", StackName=name)
    assert stacks.settled(name)["StackStatus"] == "CREATE_COMPLETE"

    request = stacks.request(name, ModelDataUrl=stacks.model("two"))
    stacks.api.create_change_set(ChangeSetName="release", **request)
    assert changes(stacks, name) == {
        "Model": ("Modify", "True"),
        "Config": ("Modify", "True"),
        "Endpoint": ("Modify", "False"),
    }
    stacks.api.execute_change_set(ChangeSetName="release", StackName=name)
    assert stacks.settled(name)["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.answer(name) == "two"


def changes(stacks: Stacks, name: str) -> dict[str, tuple[str, str | None]]:
    described = stacks.api.describe_change_set(ChangeSetName="release", StackName=name)
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    found = [item["ResourceChange"] for item in described["Changes"]]
    return {item["LogicalResourceId"]: (item["Action"], item.get("Replacement")) for item in found}


def test_change_set_without_changes_fails_with_the_reason(stacks: Stacks) -> None:
    name = stacks.create(Scaled="no")["StackName"]
    stacks.api.create_change_set(ChangeSetName="same", **stacks.request(name, Scaled="no"))

    described = stacks.api.describe_change_set(ChangeSetName="same", StackName=name)

    assert described["Status"] == "FAILED"
    assert "didn't contain changes" in described["StatusReason"]
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        stacks.api.execute_change_set(ChangeSetName="same", StackName=name)
    stacks.api.delete_change_set(ChangeSetName="same", StackName=name)
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        stacks.api.describe_change_set(ChangeSetName="same", StackName=name)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("Resources/Model/Type", "AWS::S3::Bucket", r"Unrecognized resource types: \[AWS::S3::Bucket\]"),
        ("Resources/Model/DependsOn", "Nobody", "Unresolved resource dependencies .Nobody."),
        ("Resources/Model/DependsOn", "Endpoint", "Circular dependency between resources"),
        ("Resources/Model/Properties/ExecutionRoleArn", {"Ref": "Nobody"}, "Nobody"),
        ("Resources/Model/Properties/ExecutionRoleArn", {"Fn::ImportValue": "x"}, "does not support Fn::ImportValue"),
        ("Outputs/Name/Value", {"Fn::GetAtt": ["Nobody", "Name"]}, "Outputs block"),
        ("Resources/Model/Strange", {}, "Strange"),
        ("Surprise", {}, "Surprise"),
        ("Parameters/Image/Type", "AWS::EC2::KeyPair::KeyName", "parameters of type"),
        ("Parameters/More", {"Type": "String"}, r"Parameters: \[More\] must have values"),
        ("Parameters/Scaled/AllowedValues", ["maybe"], "must be one of AllowedValues"),
        ("Parameters/InstanceCount/MinValue", 3, "within MinValue and MaxValue"),
    ],
)
def test_wrong_template_is_refused(stacks: Stacks, path: str, value: Any, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        stacks.api.create_stack(**stacks.request("refused", changed(path, value)))
    assert "refused" not in living(stacks)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("Resources/Model/Properties/Colour", "red", r"extraneous key \[Colour\]"),
        ("Resources/Alarm/Properties/Period", "often", "expected type: integer"),
        ("Resources/Endpoint/Properties/RetainAllVariantProperties", "maybe", "expected type: boolean"),
    ],
)
def test_wrong_property_fails_the_resource(stacks: Stacks, path: str, value: Any, words: str) -> None:
    stack = stacks.create(changed(path, value))

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    logical_id = path.split("/")[1]
    reasons = [
        reason
        for item, status, reason in stacks.told(stack["StackName"])
        if (item, status) == (logical_id, "CREATE_FAILED")
    ]
    assert len(reasons) == 1
    assert re.search(words, reasons[0])


def test_unknown_parameter_is_refused(stacks: Stacks) -> None:
    with pytest.raises(ClientError, match=r"Parameters: \[Colour\] do not exist in the template"):
        stacks.api.create_stack(**stacks.request("refused", Colour="red"))


def test_role_that_does_not_trust_cloudformation_is_refused(stacks: Stacks) -> None:
    request = stacks.request("refused")
    request["RoleARN"] = make_role(stacks.aws, "other", "lambda.amazonaws.com")

    with pytest.raises(ClientError, match="Could not assume role"):
        stacks.api.create_stack(**request)


def test_template_is_given_back(stacks: Stacks) -> None:
    name = stacks.create(Scaled="no")["StackName"]

    body = stacks.api.get_template(StackName=name)["TemplateBody"]

    assert (json.loads(body) if isinstance(body, str) else body) == TEMPLATE


def test_yaml_template_is_read() -> None:
    text = "Resources:\n  Alarm:\n    Type: AWS::CloudWatch::Alarm\n"

    assert list(Template.parse(text, ["AWS::CloudWatch::Alarm"]).resources) == ["Alarm"]


def scope(**parameters: Any) -> Scope:
    return Scope(parameters, {"Yes": True, "No": False}, lambda name: f"<{name}>", lambda *names: ".".join(names))


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"Ref": "Name"}, "iris"),
        ({"Ref": "Thing"}, "<Thing>"),
        ({"Fn::Sub": "${Name}-${Thing}-${Thing.Arn}-${!Name}"}, "iris-<Thing>-Thing.Arn-${Name}"),
        ({"Fn::Sub": ["${Own}/${Name}", {"Own": {"Ref": "Thing"}}]}, "<Thing>/iris"),
        ({"Fn::Join": [",", ["a", {"Ref": "Name"}, 1, True]]}, "a,iris,1,true"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": 0}, {"b": 0}),
        ([{"Ref": "AWS::NoValue"}, 1], [1]),
    ],
)
def test_intrinsic_functions(value: Any, result: Any) -> None:
    assert scope(Name="iris").resolve(value) == result


def test_references_are_found_everywhere() -> None:
    value = {
        "a": [{"Ref": "A"}, {"Fn::GetAtt": "B.Arn"}],
        "b": {"Fn::Sub": ["${C} ${D.Name} ${own} ${!E}", {"own": {"Ref": "F"}}]},
        "c": {"Fn::If": ["Yes", {"Ref": "G"}, {"Fn::Join": ["", [{"Ref": "H"}]]}]},
    }

    assert {name for name, _ in references(value)} == set("ABCDFGH")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet="abcdef", min_size=1), inner),
)


@given(plain)
def test_plain_data_resolves_to_itself(value: Any) -> None:
    assert scope().resolve(value) == value
    assert list(references(value)) == []


@pytest.mark.parametrize(
    "conditions", [{"A": {"Condition": "B"}, "B": {"Condition": "A"}}, {"A": {"Ref": "X"}}, {"A": True}]
)
def test_senseless_conditions_are_refused(conditions: dict[str, Any]) -> None:
    template = Template.parse(json.dumps({"Conditions": conditions, "Resources": {"R": {"Type": "T"}}}), ["T"])

    with pytest.raises(TemplateError):
        template.condition_values({})


def test_condition_functions_are_evaluated() -> None:
    conditions = {
        "Yes": {"Fn::Equals": [{"Ref": "X"}, "1"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
    }
    template = Template.parse(json.dumps({"Conditions": conditions, "Resources": {"R": {"Type": "T"}}}), ["T"])

    assert template.condition_values({"X": "1"}) == {"Yes": True, "No": False, "Both": False, "Either": True}
