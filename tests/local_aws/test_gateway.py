"""The one door of the local AWS: ours, moto's, and what neither does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import (
    make_function,
    make_role,
)

from mlops_constructs.local_aws.errors import LocalAwsError
from mlops_constructs.local_aws.gateway import Gateway
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.service import Params, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS_ON = {"EventBridgeConfiguration": {}}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


def test_operation_that_nobody_does_is_refused_by_name(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="the local AWS does not implement codepipeline:ListWebhooks") as caught:
        aws.client("codepipeline").list_webhooks()
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"


def test_service_that_nobody_does_is_refused_by_name(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="the local AWS does not implement mgn:"):
        aws.client("mgn").list_waves()


def test_own_operation_checks_its_input_against_the_model(aws: LocalAws) -> None:
    client = aws.client("codepipeline")
    with pytest.raises(ClientError, match="ValidationException") as caught:
        client.put_job_success_result(jobId="not-a-uuid")
    message = caught.value.response["Error"]["Message"]
    assert "Value 'not-a-uuid' at 'jobId' failed to satisfy constraint" in message
    assert "regular expression pattern" in message


def test_two_local_aws_cannot_run_at_once(aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match="already running in this process"):
        LocalAws().start()


class Reading(Service):
    """One half of a service."""

    service_name = "ssm"

    def get_parameter(self, params: Params) -> Params:
        return {}


class Writing(Service):
    """The other half."""

    service_name = "ssm"

    def put_parameter(self, params: Params) -> Params:
        return {}


def test_sets_of_operations_share_a_service_but_no_operation(aws: LocalAws) -> None:
    gateway = Gateway(aws.account, lambda *_: None)
    gateway.add(Reading(aws.account))
    gateway.add(Writing(aws.account))
    with pytest.raises(ValueError, match="two services implement ssm:get_parameter"):
        gateway.add(Reading(aws.account))


def test_busy_port_says_so(aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match=f"127.0.0.1:{aws.port}: another program uses this port"):
        Gateway(aws.account, lambda *_: None).start(aws.port)


def test_eventbridge_setting_of_a_bucket_is_given_back(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="telling")
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="telling")
    s3.put_bucket_notification_configuration(Bucket="telling", NotificationConfiguration=EVENTS_ON)
    assert s3.get_bucket_notification_configuration(Bucket="telling")["EventBridgeConfiguration"] == {}
    s3.put_bucket_notification_configuration(Bucket="telling", NotificationConfiguration={})
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="telling")


def test_bucket_policy_against_plain_http_does_not_lock_the_rehearsal_out(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="strict")
    policy = (
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",'
        ' "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'
    )
    s3.put_bucket_policy(Bucket="strict", Policy=policy)
    assert s3.get_bucket_policy(Bucket="strict")["Policy"] == policy
    s3.put_object(Bucket="strict", Key="a", Body=b"b")
    s3.delete_bucket_policy(Bucket="strict")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="strict")


def test_codebuild_project_of_a_pipeline_needs_no_location(aws: LocalAws) -> None:
    codebuild = aws.client("codebuild")
    project = {
        "name": "image",
        "source": {"type": "CODEPIPELINE", "buildspec": "version: 0.2"},
        "artifacts": {"type": "CODEPIPELINE"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        "serviceRole": make_role(aws, "build", "codebuild"),
        "encryptionKey": "arn:aws:kms:us-east-1:123456789012:key/k",
    }
    codebuild.create_project(**project)
    codebuild.update_project(name="image", description="builds")
    found = codebuild.batch_get_projects(names=["image", "none"])
    assert found["projectsNotFound"] == ["none"]
    assert found["projects"][0].items() >= {**project, "description": "builds"}.items()


def test_function_keeps_its_dead_letter_queue_and_log_group(aws: LocalAws) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:dead"
    logging = {"LogFormat": "Text", "LogGroup": "/own/group"}
    make_function(aws, "kept", "handler = None", DeadLetterConfig={"TargetArn": queue}, LoggingConfig=logging)
    found = aws.client("lambda").get_function(FunctionName="kept")["Configuration"]
    assert found["DeadLetterConfig"] == {"TargetArn": queue}
    assert found["LoggingConfig"] == logging


def test_approving_a_model_package_keeps_its_metadata(aws: LocalAws) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    made = {
        sagemaker.create_model_package(
            ModelPackageGroupName="models",
            ClientToken="once",
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties={"metric.accuracy": "0.9"},
        )["ModelPackageArn"]
        for _ in range(2)
    }
    assert len(made) == 1
    arn = made.pop()
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["CustomerMetadataProperties"] == {"metric.accuracy": "0.9"}
    with pytest.raises(ClientError, match="ConflictException"):
        sagemaker.delete_model_package_group(ModelPackageGroupName="models")
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName="models")
    assert not sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]


def test_the_version_of_a_deleted_model_package_does_not_come_again(aws: LocalAws) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="versions")

    def create() -> str:
        made = sagemaker.create_model_package(ModelPackageGroupName="versions", ModelApprovalStatus="Approved")
        return str(made["ModelPackageArn"])

    first, second, third = (create() for _ in range(3))
    sagemaker.delete_model_package(ModelPackageName=first)
    fourth = create()
    sagemaker.delete_model_package(ModelPackageName=fourth)
    fifth = create()
    numbers = [int(arn.rpartition("/")[2]) for arn in (first, second, third, fourth, fifth)]
    assert numbers == [1, 2, 3, 4, 5]
    listed = sagemaker.list_model_packages(ModelPackageGroupName="versions")["ModelPackageSummaryList"]
    assert {one["ModelPackageArn"] for one in listed} == {second, third, fifth}
    for arn in (second, third, fifth):
        sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName="versions")
    sagemaker.create_model_package_group(ModelPackageGroupName="versions")
    assert create() == first
