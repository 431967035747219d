"""What only AWS can answer is asked of the local AWS, and nothing is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from preflight import edge

from mlops_constructs.errors import MlopsError
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.preflight.live import QUESTIONS, Answer, ask
from mlops_constructs.preflight.live.repositories import codecommit_is_open
from mlops_constructs.preflight.live.room import Room
from mlops_constructs.preflight.live.scaling import registering_probes_the_caller
from mlops_constructs.preflight.live.variants import weights_of_zero_are_refused
from mlops_constructs.preflight.stack import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENTITY = Identity("123456789012", "aws", "us-east-1")
LISTS = {
    ("codepipeline", "list_pipelines"): "pipelines",
    ("ecr", "describe_repositories"): "repositories",
    ("iam", "list_roles"): "Roles",
    ("s3", "list_buckets"): "Buckets",
    ("sagemaker", "list_endpoint_configs"): "EndpointConfigs",
    ("sagemaker", "list_models"): "Models",
    ("sagemaker", "list_training_jobs"): "TrainingJobSummaries",
    ("cloudwatch", "describe_alarms"): "MetricAlarms",
    ("codecommit", "list_repositories"): "repositories",
}


@pytest.fixture(scope="module")
def session() -> Iterator[boto3.session.Session]:
    with LocalAws() as aws, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws.url)
        yield boto3.session.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name="us-east-1")


@pytest.fixture(scope="module")
def answers(session: boto3.session.Session) -> list[Answer]:
    return list(ask(session, settle_seconds=0))


def test_every_question_gets_an_answer(answers: list[Answer]) -> None:
    assert [one.question for one in answers] == [one.text for one in QUESTIONS]
    assert all(one.detail and one.decides for one in answers)


def test_codepipeline_and_codecommit_answer_here_as_well(answers: list[Answer]) -> None:
    verdicts = {one.question: one.verdict for one in answers}
    decided = [text for text in verdicts if "CodePipeline" in text or "CodeCommit" in text or "S3 source" in text]
    assert len(decided) == 4
    assert "undecided" not in [verdicts[text] for text in decided]


def test_the_local_aws_refuses_what_no_ab_test_sends(answers: list[Answer]) -> None:
    asked = [one for one in answers if "CreateEndpointConfig" in one.question]
    assert [one.verdict for one in asked] == ["yes", "yes", "yes"]


@pytest.mark.parametrize(("call", "member"), LISTS.items(), ids=lambda value: value[1] if len(value) == 2 else "")
def test_everything_that_was_made_is_gone(
    session: boto3.session.Session, answers: list[Answer], call: tuple[str, str], member: str
) -> None:
    assert [one.left for one in answers if one.left] == []
    found = getattr(session.client(call[0]), call[1])()[member]
    assert [one for one in found if "mlops-live" in str(one)] == []


def test_the_stack_is_gone(session: boto3.session.Session, answers: list[Answer]) -> None:
    stacks = session.client("cloudformation").list_stacks()["StackSummaries"]
    assert {one["StackStatus"] for one in stacks if "mlops-live" in one["StackName"]} <= {"DELETE_COMPLETE"}


def test_what_was_made_before_a_fault_is_gone_too(session: boto3.session.Session) -> None:
    def interrupted_in(room: Room) -> None:
        with room:
            session.client("s3").put_object(Bucket=room.bucket("b"), Key="k", Body=b"x")
            raise KeyboardInterrupt

    room = Room(session, IDENTITY, 0)
    with pytest.raises(KeyboardInterrupt):
        interrupted_in(room)
    assert room.left == []
    assert room.name("b") not in [one["Name"] for one in session.client("s3").list_buckets()["Buckets"]]


def test_what_cannot_be_removed_is_named() -> None:
    session = edge.session()
    edge.on(session, "codecommit.CreateRepository", edge.told({}))
    edge.on(session, "codecommit.DeleteRepository", edge.refused("AccessDeniedException"))
    with Room(session, IDENTITY, 0) as room:
        codecommit_is_open(room)
    (left,) = room.left
    assert left.startswith(f"CodeCommit repository {room.name('repository')}: ")
    assert "AccessDeniedException" in left


@pytest.mark.parametrize(
    ("code", "verdict"), [("OperationNotAllowedException", "no"), ("EncryptionKeyDisabledException", "undecided")]
)
def test_a_closed_codecommit_is_told_from_a_fault(code: str, verdict: str) -> None:
    session = edge.session()
    edge.on(session, "codecommit.CreateRepository", edge.refused(code))
    edge.on(session, "codecommit.DeleteRepository", edge.told({}))
    with Room(session, IDENTITY, 0) as room:
        assert codecommit_is_open(room)[0] == verdict


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("User is missing the following permissions: cloudwatch:DeleteAlarms", "yes"),
        ("Endpoint not found", "no"),
    ],
)
def test_probes_are_known_by_the_sentence_of_application_auto_scaling(
    session: boto3.session.Session, message: str, verdict: str
) -> None:
    def refuse(**_: Any) -> Any:
        raise session.client("application-autoscaling").exceptions.ValidationException(
            {"Error": {"Code": "ValidationException", "Message": message}}, "RegisterScalableTarget"
        )

    session.events.register("before-call.application-auto-scaling.RegisterScalableTarget", refuse)
    try:
        with Room(session, IDENTITY, 0) as room:
            assert registering_probes_the_caller(room) == (verdict, f"ValidationException: {message}")
    finally:
        session.events.unregister("before-call.application-auto-scaling.RegisterScalableTarget", refuse)


@pytest.mark.parametrize(("refused", "verdict"), [(False, "no"), (True, "undecided")], ids=["accepted", "all refused"])
def test_variants_that_aws_accepts_and_a_refusal_of_all_are_told_apart(
    session: boto3.session.Session, refused: bool, verdict: str
) -> None:
    def answer(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        error = {"Error": {"Code": "AccessDeniedException", "Message": "No."}} if refused else {}
        return type("Response", (), {"status_code": 400 if refused else 200})(), {"ResponseMetadata": {}, **error}

    events = [f"before-call.sagemaker.{name}EndpointConfig" for name in ("Create", "Delete")]
    for event in events:
        session.events.register(event, answer)
    try:
        with Room(session, IDENTITY, 0) as room:
            assert weights_of_zero_are_refused(room)[0] == verdict
    finally:
        for event in events:
            session.events.unregister(event, answer)
    assert room.left == []


def test_without_credentials_nothing_is_made() -> None:
    session = edge.session()
    edge.on(session, "sts", edge.refused_in_xml("ExpiredToken"))
    with pytest.raises(MlopsError, match="they have expired"):
        next(ask(session))
