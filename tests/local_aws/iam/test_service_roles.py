"""What services do by themselves with a role that is handed to them."""

from __future__ import annotations

import pytest
from local_aws.iam.reference import compare

from mlops_constructs.local_aws.iam.service_roles import ROLE_USES, role_use_checks

_REGIONAL = "arn:aws:{}:us-east-1:123456789012:{}"
_NAMES = {
    "alarm_arn": _REGIONAL.format("cloudwatch", "alarm:iris-production-errors"),
    "artifact_arn": "arn:aws:s3:::iris-artifacts/iris/Source/1",
    "bucket_arn": "arn:aws:s3:::iris-data",
    "connection_arn": _REGIONAL.format("codestar-connections", "connection/1234"),
    "function_arn": _REGIONAL.format("lambda", "function:iris-train"),
    "key_arn": _REGIONAL.format("kms", "key/1234"),
    "log_group_arn": _REGIONAL.format("logs", "log-group:/aws/sagemaker/TrainingJobs"),
    "log_stream": "iris-1/algo-1",
    "network_interface_arn": _REGIONAL.format("ec2", "network-interface/*"),
    "object_arn": "arn:aws:s3:::iris-data/a.csv",
    "project_arn": _REGIONAL.format("codebuild", "project/iris"),
    "security_group_arn": _REGIONAL.format("ec2", "security-group/sg-1"),
    "source_arn": "arn:aws:s3:::iris-artifacts/iris-image/SourceCode/1",
    "stack_arn": _REGIONAL.format("cloudformation", "stack/iris-production/*"),
    "store_arn": "arn:aws:s3:::iris-artifacts",
    "subnet_arn": _REGIONAL.format("ec2", "subnet/subnet-1"),
    "topic_arn": _REGIONAL.format("sns", "iris-news"),
}


def _names(use: str) -> dict[str, str]:
    code = use in ("CodePipeline CodeCommit", "SageMaker notebook repository")
    repository = _REGIONAL.format("codecommit", "iris") if code else _REGIONAL.format("ecr", "repository/iris")
    return {**_NAMES, "repository_arn": repository}


@pytest.mark.parametrize("use", ROLE_USES)
def test_a_use_asks_for_what_the_reference_knows(use):
    checks = role_use_checks(use, _names(use))

    assert checks
    for check in checks:
        compare(check)


@pytest.mark.parametrize("use", ROLE_USES)
def test_a_use_names_the_page_of_aws(use):
    assert ROLE_USES[use].source.startswith("https://docs.aws.amazon.com/")


def test_a_training_job_pulls_its_image_and_writes_its_own_log_stream():
    asked = [(check.action, check.resource) for check in role_use_checks("SageMaker training", _names(""))]

    assert ("ecr:BatchGetImage", _REGIONAL.format("ecr", "repository/iris")) in asked
    assert ("logs:PutLogEvents", f"{_NAMES['log_group_arn']}:log-stream:iris-1/algo-1") in asked


def test_a_volume_is_encrypted_by_a_grant_for_aws_alone():
    grant, described = role_use_checks("SageMaker volume", _NAMES)

    assert (grant.action, described.action) == ("kms:CreateGrant", "kms:DescribeKey")
    assert grant.context.get("kms:GrantIsForAWSResource") == ("true",)


def test_a_mode_of_cloudformation_needs_only_what_it_does():
    def actions(mode: str) -> set[str]:
        return {check.action for check in role_use_checks(f"CodePipeline CloudFormation {mode}", _NAMES)}

    assert "cloudformation:DeleteStack" in actions("REPLACE_ON_FAILURE") - actions("CREATE_UPDATE")
    assert "cloudformation:CreateStack" not in actions("CHANGE_SET_REPLACE") | actions("CHANGE_SET_EXECUTE")


def test_an_unknown_use_and_a_missing_name_are_refused():
    with pytest.raises(KeyError, match="CodePipeline Jenkins"):
        role_use_checks("CodePipeline Jenkins", _NAMES)
    with pytest.raises(KeyError, match="topic_arn"):
        role_use_checks("CodePipeline Approval", {})
