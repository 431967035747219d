"""Calls of roles, made over HTTP, are held against the policies of the account."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.iam.calls import Check
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.roles import assume_as
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "arn:aws:iam::123456789012:root"
GETTING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(docker=False) as aws:
        aws.client("s3").create_bucket(Bucket="bucket")
        aws.client("s3").put_object(Bucket="bucket", Key="key", Body=b"1")
        yield aws


class Role:
    """A role, and its clients."""

    def __init__(self, aws: LocalAws, name: str, *statements: dict[str, Any], **trust: Any) -> None:
        trusting = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        iam = aws.client("iam")
        policy = document({**trusting, **trust})
        self.arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=document(*statements))
        self.name, self._aws = name, aws

    def credentials(self, source_arn: str = "") -> dict[str, Any]:
        return assume_as(self._aws.account, "lambda.amazonaws.com", self.arn, "session", source_arn=source_arn)

    def client(self, service: str) -> Any:
        return self._aws.client(service, self.credentials())


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@contextmanager
def denied(code: str, words: str = "") -> Iterator[None]:
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert words in error["Message"]


def test_a_granted_call_is_done(aws: LocalAws) -> None:
    s3 = Role(aws, "reader", GETTING).client("s3")
    assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"1"


def test_a_denied_call_has_the_error_of_its_service(aws: LocalAws) -> None:
    role = Role(aws, "stranger", GETTING)
    who = "User: arn:aws:sts::123456789012:assumed-role/stranger/session is not authorized to perform"
    with denied("AccessDenied", f'{who}: s3:PutObject on resource: "arn:aws:s3:::bucket/key"'):
        role.client("s3").put_object(Bucket="bucket", Key="key", Body=b"2")
    with denied("AccessDeniedException", f"{who}: ssm:GetParameter on resource: "):
        role.client("ssm").get_parameter(Name="/secret")
    with denied("AuthorizationError"):
        role.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:topic", Message="m")


def test_a_denied_call_changes_nothing(aws: LocalAws) -> None:
    with denied("AccessDenied"):
        Role(aws, "vandal", GETTING).client("s3").delete_object(Bucket="bucket", Key="key")
    assert aws.client("s3").get_object(Bucket="bucket", Key="key")["Body"].read() == b"1"


def test_the_administrator_may_do_everything(aws: LocalAws) -> None:
    assert aws.client("s3").head_object(Bucket="bucket", Key="key")["ContentLength"] == 1


def test_a_role_may_always_ask_who_it_is(aws: LocalAws) -> None:
    arn = Role(aws, "nobody").client("sts").get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/nobody/session"


def test_a_missing_object_is_told_to_who_may_list_the_bucket_only(aws: LocalAws) -> None:
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket"}
    with denied("NoSuchKey"):
        Role(aws, "lister", GETTING, listing).client("s3").get_object(Bucket="bucket", Key="none")
    with denied("AccessDenied", "s3:ListBucket"):
        Role(aws, "getter", GETTING).client("s3").get_object(Bucket="bucket", Key="none")
    with denied("403"):
        Role(aws, "header", GETTING).client("s3").head_object(Bucket="bucket", Key="none")


def test_a_bucket_policy_denies_what_a_role_may_do(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="closed")
    s3.put_object(Bucket="closed", Key="key", Body=b"1")
    closing = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::closed/*"}
    s3.put_bucket_policy(Bucket="closed", Policy=document(closing))
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    with denied("AccessDenied", "with an explicit deny in a resource-based policy"):
        Role(aws, "owner", everything).client("s3").get_object(Bucket="closed", Key="key")


def test_a_key_must_let_the_account_use_it_and_the_role_must_be_allowed_to(aws: LocalAws) -> None:
    s3, kms = aws.client("s3"), aws.client("kms")
    key = kms.create_key(Description="test")["KeyMetadata"]["Arn"]
    s3.put_object(Bucket="bucket", Key="locked", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    with denied("AccessDenied", "kms:Decrypt"):
        Role(aws, "keyless", GETTING).client("s3").get_object(Bucket="bucket", Key="locked")
    by_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    decrypting = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": by_s3}
    holder = Role(aws, "holder", GETTING, decrypting).client("s3")
    assert holder.get_object(Bucket="bucket", Key="locked")["Body"].read() == b"1"
    nobody = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:PutKeyPolicy", "Resource": "*"}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(nobody))
    with denied("AccessDenied", "no resource-based policy allows the kms:Decrypt action"):
        holder.get_object(Bucket="bucket", Key="locked")


def test_a_permissions_boundary_limits_a_role(aws: LocalAws) -> None:
    iam = aws.client("iam")
    elsewhere = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"}
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=document(elsewhere))["Policy"]["Arn"]
    role = Role(aws, "limited", GETTING)
    iam.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary=boundary)
    with denied("AccessDenied", "no permissions boundary allows"):
        role.client("s3").get_object(Bucket="bucket", Key="key")


def test_an_attached_policy_grants_as_an_inline_one(aws: LocalAws) -> None:
    iam = aws.client("iam")
    policy = iam.create_policy(PolicyName="reading", PolicyDocument=document(GETTING))["Policy"]["Arn"]
    role = Role(aws, "attached")
    iam.attach_role_policy(RoleName=role.name, PolicyArn=policy)
    assert role.client("s3").get_object(Bucket="bucket", Key="key")["Body"].read() == b"1"


def test_a_service_assumes_a_role_for_the_account_that_its_trust_names_only(aws: LocalAws) -> None:
    ours = Role(aws, "ours", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}})
    assert ours.credentials()["AccessKeyId"]
    theirs = Role(aws, "theirs", Condition={"StringEquals": {"aws:SourceAccount": "999999999999"}})
    with pytest.raises(AwsError, match="Could not assume role"):
        theirs.credentials()


def test_tags_of_a_resource_count_where_a_policy_asks_for_them(aws: LocalAws) -> None:
    sagemaker, package = aws.client("sagemaker"), "sagemaker:DeleteModelPackageGroup"
    tagged = {"StringEquals": {"aws:ResourceTag/owner": "us"}}
    role = Role(aws, "tagged", {"Effect": "Allow", "Action": package, "Resource": "*", "Condition": tagged})
    for name, owner in (("mine", "us"), ("yours", "you")):
        tags = [{"Key": "owner", "Value": owner}]
        sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=tags)
    role.client("sagemaker").delete_model_package_group(ModelPackageGroupName="mine")
    with denied("AccessDeniedException", "DeleteModelPackageGroup"):
        role.client("sagemaker").delete_model_package_group(ModelPackageGroupName="yours")


def test_a_model_package_has_the_tags_of_its_group(aws: LocalAws) -> None:
    sagemaker = aws.client("sagemaker")
    tagged = {"StringEquals": {"aws:ResourceTag/owner": "us"}}
    describing = {"Effect": "Allow", "Action": "sagemaker:DescribeModelPackage", "Resource": "*", "Condition": tagged}
    role = Role(aws, "describer", describing)
    found = {}
    for group, owner in (("ours", "us"), ("theirs", "you")):
        tags = [{"Key": "owner", "Value": owner}]
        sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=tags)
        found[group] = sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    client = role.client("sagemaker")
    assert client.describe_model_package(ModelPackageName=found["ours"])["ModelPackageGroupName"] == "ours"
    with denied("AccessDeniedException", "DescribeModelPackage"):
        client.describe_model_package(ModelPackageName=found["theirs"])


def test_a_service_sends_to_a_queue_by_the_queues_policy_only(aws: LocalAws) -> None:
    sqs, arn = aws.client("sqs"), "arn:aws:sqs:us-east-1:123456789012:letters"
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    access, rule = aws.account.access, "arn:aws:events:us-east-1:123456789012:rule/ours"
    with pytest.raises(DeniedError, match="no resource-based policy allows the sqs:SendMessage"):
        access.check_service("events.amazonaws.com", [Check("sqs:SendMessage", arn)], rule)
    sending = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    bound = {**sending, "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(bound)})
    access.check_service("events.amazonaws.com", [Check("sqs:SendMessage", arn)], rule)
    with pytest.raises(DeniedError):
        access.check_service("events.amazonaws.com", [Check("sqs:SendMessage", arn)], f"{rule}s")


def test_a_failure_that_quotes_a_denied_call_is_explained(aws: LocalAws) -> None:
    role = Role(aws, "puzzled", GETTING)
    with pytest.raises(ClientError) as caught:
        role.client("s3").get_object(Bucket="bucket2", Key="key")
    told = aws.account.access.explain(f"the data set cannot be read: {caught.value}")
    assert "an identity-based policy must allow s3:GetObject on arn:aws:s3:::bucket2/key" in told
    assert "permissions, statement 1: it is not about arn:aws:s3:::bucket2/key" in told
    assert aws.account.access.explain("the disk is full") == "the disk is full"


def test_a_refused_head_is_explained_although_it_has_no_words(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as caught:
        Role(aws, "blind").client("s3").head_object(Bucket="bucket", Key="key")
    assert "assumed-role/blind/session is not authorized to perform: s3:GetObject" in aws.account.access.explain(
        str(caught.value)
    )


def test_every_decision_is_told(aws: LocalAws) -> None:
    told: list[tuple[str, bool]] = []
    aws.account.access.add_listener(lambda decision: told.append((decision.request.action, decision.allowed)))
    role = Role(aws, "told", GETTING)
    role.client("s3").get_object(Bucket="bucket", Key="key")
    with denied("AccessDenied"):
        role.client("s3").list_objects_v2(Bucket="bucket")
    assert [one for one in told if one[0].startswith("s3:")] == [("s3:GetObject", True), ("s3:ListBucket", False)]
