"""A KMS key that is disabled, or to be deleted, fails what needs it, in the words of each service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import make_role, open_to_events, wait_for

from mlops_constructs.local_aws.local_aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CODES = {
    "s3": ("KMS.DisabledException", "KMS.KMSInvalidStateException"),
    "sns": ("KMSDisabled", "KMSInvalidState"),
    "sqs": ("KmsDisabled", "KmsInvalidState"),
    "ssm": ("InvalidKeyId", "InvalidKeyId"),
    "kms": ("DisabledException", "KMSInvalidStateException"),
}


class Vault:
    """Something encrypted in each service, with one key."""

    def __init__(self, aws: LocalAws, client: Callable[[str], Any]) -> None:
        self.aws, self.client = aws, client
        self.kms = aws.client("kms")
        made = self.kms.create_key()["KeyMetadata"]
        self.key, self.arn = made["KeyId"], made["Arn"]
        name = f"vault-{self.key[:8]}"
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=name)
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.arn}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_object(Bucket=name, Key="secret", Body=b"x")
        topic = aws.client("sns").create_topic(Name=name, Attributes={"KmsMasterKeyId": self.key})["TopicArn"]
        self.queue = aws.client("sqs").create_queue(QueueName=name, Attributes={"KmsMasterKeyId": self.key})["QueueUrl"]
        parameter = {"Name": f"/{name}", "Value": "x", "Type": "SecureString", "KeyId": self.key}
        aws.client("ssm").put_parameter(**parameter)
        self.name = name
        self.uses: dict[str, Callable[[], Any]] = {
            "s3": lambda: client("s3").get_object(Bucket=name, Key="secret"),
            "sns": lambda: client("sns").publish(TopicArn=topic, Message="x"),
            "sqs": lambda: client("sqs").send_message(QueueUrl=self.queue, MessageBody="x"),
            "ssm": lambda: client("ssm").get_parameter(Name=f"/{name}", WithDecryption=True),
            "kms": lambda: client("kms").generate_data_key(KeyId=self.key, KeySpec="AES_256"),
        }


@pytest.fixture(scope="module", params=[True, False], ids=["IAM", "no IAM"])
def aws(request: pytest.FixtureRequest) -> Iterator[LocalAws]:
    with LocalAws(iam=request.param) as aws:
        make_role(aws, "user", "lambda")
        yield aws


@pytest.fixture(params=["role", "administrator"])
def vault(aws: LocalAws, request: pytest.FixtureRequest) -> Vault:
    if request.param == "administrator":
        return Vault(aws, aws.client)
    arn = f"arn:aws:iam::{aws.account_id}:role/user"
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return Vault(aws, lambda service: aws.client(service, keys))


@pytest.mark.parametrize("service", CODES)
def test_48_a_service_says_that_the_key_cannot_be_used(vault: Vault, service: str) -> None:
    use, (disabled, pending) = vault.uses[service], CODES[service]
    use()

    vault.kms.disable_key(KeyId=vault.key)
    with pytest.raises(ClientError, match=f"{vault.arn} is disabled") as refused:
        use()
    assert refused.value.response["Error"]["Code"] == disabled

    vault.kms.enable_key(KeyId=vault.key)
    use()

    vault.kms.schedule_key_deletion(KeyId=vault.key, PendingWindowInDays=7)
    with pytest.raises(ClientError, match=f"{vault.arn} is pending deletion") as refused:
        use()
    assert refused.value.response["Error"]["Code"] == pending

    vault.kms.cancel_key_deletion(KeyId=vault.key)
    vault.kms.enable_key(KeyId=vault.key)
    use()


def test_what_needs_no_key_goes_on(vault: Vault) -> None:
    vault.kms.disable_key(KeyId=vault.key)
    vault.aws.client("s3").put_object(Bucket=vault.name, Key="open", Body=b"x", ServerSideEncryption="AES256")
    assert vault.client("s3").get_object(Bucket=vault.name, Key="open")["Body"].read() == b"x"
    assert vault.client("kms").describe_key(KeyId=vault.key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_04_an_event_for_a_queue_whose_key_is_disabled_goes_to_the_dead_letter_queue(aws: LocalAws) -> None:
    vault = Vault(aws, aws.client)
    sqs, events = aws.client("sqs"), aws.client("events")
    arns = {}
    for url in (vault.queue, sqs.create_queue(QueueName="dead")["QueueUrl"]):
        arns[url] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": open_to_events(arns[url])})
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "kms:*"}
    account = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.account_id}:root"}, "Action": "kms:*"}
    statements = [{**one, "Resource": "*"} for one in (statement, account)]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    vault.kms.put_key_policy(KeyId=vault.key, PolicyName="default", Policy=policy)
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["test"]}))
    dead = next(url for url in arns if url.endswith("/dead"))
    target = {"Id": "queue", "Arn": arns[vault.queue], "DeadLetterConfig": {"Arn": arns[dead]}}
    events.put_targets(Rule="rule", Targets=[target])
    vault.kms.disable_key(KeyId=vault.key)
    aws.account.emit({"source": "test", "detail-type": "Something", "detail": {}})
    attributes = ["ERROR_MESSAGE"]
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=dead, MessageAttributeNames=attributes).get("Messages"))
    assert "is disabled" in message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
