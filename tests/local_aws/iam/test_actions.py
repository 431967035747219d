"""Which permissions a call needs."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_constructs.local_aws.iam.actions import checks_of, needed_to_see_missing
from mlops_constructs.local_aws.iam.calls import Call, Check, NoFacts, Site
from mlops_constructs.local_aws.iam.integrations import checks_with_callers_rights

_SITE = Site("aws-us-gov", "us-gov-west-1", "123456789012")
_KEY = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/1234"
_OBJECT = "arn:aws-us-gov:s3:::iris-data/a.csv"


class _Encrypted:
    """An account whose objects are encrypted by a key, and tagged."""

    def kms_key(self, arn: str, version: str | None = None) -> str | None:
        return _KEY

    def role_path(self, name: str) -> str:
        return "/"

    def is_tagged(self, arn: str, version: str | None = None) -> bool:
        return True


def _call(service: str, operation: str, **params: Any) -> Call:
    return Call(service, operation, params, _SITE)


def _asked(service: str, operation: str, *, encrypted: bool = False, **params: Any) -> list[tuple[str, str]]:
    checks = checks_of(_call(service, operation, **params), _Encrypted() if encrypted else NoFacts())
    return [(check.action, check.resource) for check in checks]


def _values(check: Check, key: str) -> tuple[str, ...]:
    return check.context.get(key)


def test_reading_a_version_of_an_object_is_another_action_than_reading_it():
    assert _asked("s3", "GetObject", Bucket="iris-data", Key="a.csv") == [("s3:GetObject", _OBJECT)]
    assert _asked("s3", "HeadObject", Bucket="iris-data", Key="a.csv", VersionId="7") == [
        ("s3:GetObjectVersion", _OBJECT)
    ]


def test_an_encrypted_object_needs_its_key_through_s3():
    check = checks_of(_call("s3", "GetObject", Bucket="iris-data", Key="a.csv"), _Encrypted())[1]

    assert (check.action, check.resource) == ("kms:Decrypt", _KEY)
    assert _values(check, "kms:ViaService") == ("s3.us-gov-west-1.amazonaws.com",)
    assert _values(check, "kms:EncryptionContext:aws:s3:arn") == (_OBJECT,)


def test_awss_own_key_for_s3_needs_no_grant():
    given = {"Bucket": "iris-data", "Key": "a.csv", "ServerSideEncryption": "aws:kms"}

    assert _asked("s3", "PutObject", encrypted=True, **given, SSEKMSKeyId="alias/aws/s3") == [("s3:PutObject", _OBJECT)]
    assert ("kms:GenerateDataKey", _KEY) in _asked("s3", "PutObject", encrypted=True, **given, SSEKMSKeyId=_KEY)


def test_an_upload_in_parts_needs_to_decrypt_too():
    asked = _asked("s3", "CreateMultipartUpload", encrypted=True, Bucket="iris-data", Key="a.csv")

    assert asked == [("s3:PutObject", _OBJECT), ("kms:GenerateDataKey", _KEY), ("kms:Decrypt", _KEY)]


def test_listing_tells_the_prefix_only_where_one_is_given():
    with_prefix, without = (
        checks_of(_call("s3", "ListObjectsV2", Bucket="iris-data", **given), NoFacts())[0]
        for given in ({"Prefix": "a/"}, {})
    )

    assert (with_prefix.action, with_prefix.resource) == ("s3:ListBucket", "arn:aws-us-gov:s3:::iris-data")
    assert _values(with_prefix, "s3:prefix") == ("a/",)
    assert _values(without, "s3:prefix") == ()


@pytest.mark.parametrize("source", ["from/b.csv?versionId=7", {"Bucket": "from", "Key": "b.csv", "VersionId": "7"}])
def test_a_copy_of_a_tagged_object_needs_to_read_it_and_to_write_it_with_its_tags(source):
    asked = _asked("s3", "CopyObject", encrypted=True, Bucket="iris-data", Key="a.csv", CopySource=source)

    assert asked == [
        ("s3:GetObjectVersion", "arn:aws-us-gov:s3:::from/b.csv"),
        ("kms:Decrypt", _KEY),
        ("s3:PutObject", _OBJECT),
        ("kms:GenerateDataKey", _KEY),
        ("s3:GetObjectVersionTagging", "arn:aws-us-gov:s3:::from/b.csv"),
        ("s3:PutObjectTagging", _OBJECT),
    ]


def test_a_copy_that_replaces_the_tags_or_finds_none_needs_no_tagging():
    copy = {"Bucket": "iris-data", "Key": "a.csv", "CopySource": "from/b%20c.csv"}

    replaced = _asked("s3", "CopyObject", encrypted=True, TaggingDirective="REPLACE", **copy)
    untagged = _asked("s3", "CopyObject", **copy)

    assert "s3:PutObjectTagging" not in dict(replaced)
    assert untagged == [("s3:GetObject", "arn:aws-us-gov:s3:::from/b c.csv"), ("s3:PutObject", _OBJECT)]


def test_each_deleted_object_is_a_check():
    objects = [{"Key": "a"}, {"Key": "b", "VersionId": "7"}]

    assert _asked("s3", "DeleteObjects", Bucket="iris-data", Delete={"Objects": objects}) == [
        ("s3:DeleteObject", "arn:aws-us-gov:s3:::iris-data/a"),
        ("s3:DeleteObjectVersion", "arn:aws-us-gov:s3:::iris-data/b"),
    ]


def test_who_may_not_list_is_not_told_that_an_object_is_missing():
    check = needed_to_see_missing(_call("s3", "GetObject", Bucket="iris-data", Key="a.csv"))

    assert (check.action, check.resource) == ("s3:ListBucket", "arn:aws-us-gov:s3:::iris-data")


_TRAINING = {
    "TrainingJobName": "iris-1",
    "RoleArn": "arn:aws-us-gov:iam::123456789012:role/train",
    "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": _KEY},
    "OutputDataConfig": {"KmsKeyId": _KEY},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    "EnableNetworkIsolation": True,
    "VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
    "Tags": [{"Key": "team", "Value": "ml"}],
}


def test_a_training_job_needs_its_role_its_volumes_grant_and_its_tags():
    job = "arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:training-job/iris-1"

    assert _asked("sagemaker", "CreateTrainingJob", **_TRAINING) == [
        ("sagemaker:CreateTrainingJob", job),
        ("sagemaker:CreateTrainingJob", job),
        ("kms:CreateGrant", _KEY),
        ("iam:PassRole", "arn:aws-us-gov:iam::123456789012:role/train"),
        ("sagemaker:AddTags", job),
    ]


def test_a_training_job_is_held_against_either_spelling_of_its_keys():
    old, new = checks_of(_call("sagemaker", "CreateTrainingJob", **_TRAINING), NoFacts())[:2]

    for name in ("VolumeKmsKey", "OutputKmsKey"):
        assert _values(old, f"sagemaker:{name}") == _values(new, f"sagemaker:{name}Arn") == (_KEY,)
        assert _values(old, f"sagemaker:{name}Arn") == _values(new, f"sagemaker:{name}") == ()


def test_conditions_see_what_a_training_job_asks_for():
    check = checks_of(_call("sagemaker", "CreateTrainingJob", **_TRAINING), NoFacts())[0]

    assert _values(check, "sagemaker:InstanceTypes") == ("ml.m5.large",)
    assert _values(check, "sagemaker:MaxRuntimeInSeconds") == ("600",)
    assert _values(check, "sagemaker:NetworkIsolation") == ("true",)
    assert _values(check, "sagemaker:InterContainerTrafficEncryption") == ()
    assert _values(check, "sagemaker:VpcSubnets") == ("subnet-1", "subnet-2")
    assert _values(check, "aws:RequestTag/team") == ("ml",)
    assert _values(check, "aws:TagKeys") == ("team",)


def test_a_job_without_keys_is_checked_once_and_needs_no_grant():
    plain = {**_TRAINING, "ResourceConfig": {"InstanceType": "ml.m5.large"}, "OutputDataConfig": {}, "Tags": []}

    assert [action for action, _ in _asked("sagemaker", "CreateTrainingJob", **plain)] == [
        "sagemaker:CreateTrainingJob",
        "iam:PassRole",
    ]


def test_a_role_is_handed_to_the_service_that_will_assume_it():
    job = {"HyperParameterTuningJobName": "iris-1", "TrainingJobDefinition": _TRAINING}
    passed = checks_of(_call("sagemaker", "CreateHyperParameterTuningJob", **job), NoFacts())[-1]
    role = "arn:aws-us-gov:iam::123456789012:role/deploy"
    stack = checks_of(_call("cloudformation", "CreateChangeSet", StackName="iris", RoleARN=role), NoFacts())[-1]

    assert _values(passed, "iam:PassedToService") == ("sagemaker.amazonaws.com",)
    assert _values(stack, "iam:PassedToService") == ("cloudformation.amazonaws.com",)
    assert stack.resource == role


_ARN = "arn:aws-us-gov:{}:us-gov-west-1:123456789012:{}"


def test_a_model_package_needs_to_read_its_image_and_its_model():
    containers = [
        {
            "Image": "210987654321.dkr.ecr.us-gov-east-1.amazonaws.com/iris@sha256:0",
            "ModelDataUrl": "s3://iris-data/a.csv",
        },
        {"Image": "registry.example.com/iris"},
    ]
    asked = _asked(
        "sagemaker",
        "CreateModelPackage",
        encrypted=True,
        ModelPackageGroupName="iris",
        InferenceSpecification={"Containers": containers},
    )

    assert asked == [
        ("sagemaker:CreateModelPackage", _ARN.format("sagemaker", "model-package/iris/*")),
        ("ecr:BatchGetImage", "arn:aws-us-gov:ecr:us-gov-east-1:210987654321:repository/iris"),
        ("s3:GetObject", _OBJECT),
        ("kms:Decrypt", _KEY),
    ]


@pytest.mark.parametrize(
    ("service", "operation", "params", "action", "resource"),
    [
        ("lambda", "Invoke", {"FunctionName": "f"}, "lambda:InvokeFunction", _ARN.format("lambda", "function:f")),
        (
            "sagemaker-runtime",
            "InvokeEndpoint",
            {"EndpointName": "iris"},
            "sagemaker:InvokeEndpoint",
            _ARN.format("sagemaker", "endpoint/iris"),
        ),
        (
            "sagemaker",
            "CreateModelPackage",
            {"ModelPackageGroupName": "iris"},
            "sagemaker:CreateModelPackage",
            _ARN.format("sagemaker", "model-package/iris/*"),
        ),
        (
            "sagemaker",
            "DescribeModelPackage",
            {"ModelPackageName": _ARN.format("sagemaker", "model-package/iris/1")},
            "sagemaker:DescribeModelPackage",
            _ARN.format("sagemaker", "model-package/iris/1"),
        ),
        (
            "cloudformation",
            "DescribeStacks",
            {"StackName": "iris"},
            "cloudformation:DescribeStacks",
            _ARN.format("cloudformation", "stack/iris/*"),
        ),
        (
            "codebuild",
            "BatchGetBuilds",
            {"ids": ["iris:1", "iris:2"]},
            "codebuild:BatchGetBuilds",
            _ARN.format("codebuild", "project/iris"),
        ),
        (
            "codepipeline",
            "PutApprovalResult",
            {"pipelineName": "iris", "stageName": "Approve", "actionName": "Ask"},
            "codepipeline:PutApprovalResult",
            _ARN.format("codepipeline", "iris/Approve/Ask"),
        ),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            "logs:PutLogEvents",
            _ARN.format("logs", "log-group:/g:log-stream:s"),
        ),
        (
            "logs",
            "DeleteLogGroup",
            {"logGroupName": "/g"},
            "logs:DeleteLogGroup",
            _ARN.format("logs", "log-group:/g:log-stream:"),
        ),
        ("ssm", "GetParameter", {"Name": "/iris/i"}, "ssm:GetParameter", _ARN.format("ssm", "parameter/iris/i")),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "http://127.0.0.1:5000/123456789012/q"},
            "sqs:SendMessage",
            _ARN.format("sqs", "q"),
        ),
        ("ecr", "GetAuthorizationToken", {}, "ecr:GetAuthorizationToken", "*"),
        ("codepipeline", "PutJobSuccessResult", {"jobId": "1"}, "codepipeline:PutJobSuccessResult", "*"),
    ],
)
def test_a_call_needs_its_action_on_its_resource(service, operation, params, action, resource):
    assert _asked(service, operation, **params) == [(action, resource)]


def test_asking_who_one_is_needs_nothing():
    assert _asked("sts", "GetCallerIdentity") == []


def test_a_call_in_no_table_needs_the_action_of_its_name_on_everything_and_is_marked():
    assert checks_of(_call("sagemaker-runtime", "Other"), NoFacts()) == (Check("sagemaker:Other", known=False),)
    assert all(check.known for check in checks_of(_call("s3", "GetObject", Bucket="b", Key="k"), NoFacts()))


def test_auto_scaling_tries_what_it_will_do_with_the_rights_of_the_caller():
    registered = _call("application-autoscaling", "RegisterScalableTarget", ServiceNamespace="sagemaker")
    asked = [(check.action, check.resource) for check in checks_with_callers_rights(registered)]

    assert ("cloudwatch:DeleteAlarms", _ARN.format("cloudwatch", "alarm:")) in asked
    assert "sagemaker:UpdateEndpointWeightsAndCapacities" in dict(asked)
    assert checks_with_callers_rights(_call("application-autoscaling", "DescribeScalableTargets")) == ()


@pytest.mark.parametrize(("registry", "owner"), [({}, _SITE.account), ({"registryId": "683313688378"}, "683313688378")])
def test_an_image_belongs_to_the_registry_that_is_named(registry, owner):
    asked = _asked("ecr", "BatchGetImage", repositoryName="sagemaker-xgboost", imageIds=[], **registry)
    assert [resource.split(":")[4] for _, resource in asked] == [owner]
