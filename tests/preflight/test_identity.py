"""Credentials and region, each fault with its own sentence."""

from __future__ import annotations

import boto3
import pytest
from preflight import edge

from mlops_constructs.preflight.identity import Caller


def caller(arn: str, region: str | None = "us-east-1") -> Caller:
    session = edge.session()
    account = arn.split(":")[4]
    answer = f"<Arn>{arn}</Arn><UserId>U</UserId><Account>{account}</Account>"
    result = f"<GetCallerIdentityResult>{answer}</GetCallerIdentityResult>"
    edge.on(session, "sts", lambda _: (200, f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"))
    return Caller(session, region)


def test_a_role_in_the_right_region_is_good() -> None:
    found = caller("arn:aws-us-gov:sts::123456789012:assumed-role/deployer/me")
    assert [one.state for one in found.findings] == ["good", "good"]
    assert found.identity is not None
    assert (found.identity.account_id, found.identity.partition) == ("123456789012", "aws-us-gov")


def test_the_root_user_is_a_warning() -> None:
    assert caller("arn:aws:iam::123456789012:root").findings[-1].state == "warning"


def test_a_partition_without_the_deploy_action_is_broken() -> None:
    assert caller("arn:aws-cn:iam::123456789012:user/me").findings[-1].state == "broken"


def test_another_region_than_the_stacks_is_told() -> None:
    (region, _) = caller("arn:aws:iam::123456789012:user/me", "eu-west-1").findings
    assert (region.state, "Set AWS_DEFAULT_REGION=eu-west-1" in region.remedy) == ("warning", True)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ExpiredToken", "they have expired"),
        ("InvalidClientTokenId", "AWS does not accept them"),
        ("SignatureDoesNotMatch", "AWS does not accept them"),
        ("SomethingElse", "was refused with SomethingElse"),
    ],
)
def test_a_refusal_is_a_sentence(code: str, sentence: str) -> None:
    session = edge.session()
    edge.on(session, "sts", edge.refused_in_xml(code))
    found = Caller(session, "us-east-1")
    assert (found.identity, found.findings[-1].state) == (None, "broken")
    assert sentence in found.findings[-1].detail
    assert found.findings[-1].remedy


def test_no_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    found = Caller(boto3.session.Session(region_name="us-east-1"), None)
    assert found.findings[-1].detail == "there are no credentials"


def test_no_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    found = Caller(boto3.session.Session("testing", "testing"), None)
    assert [(one.thing, one.state) for one in found.findings] == [("region", "broken")]
