"""All questions, one after the other, each with its own resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import MlopsError
from ..identity import Caller
from .alarms import alarm_needs_tag_resource
from .answer import Answer
from .conditions import training_carries_the_old_key
from .images import model_refuses_oci
from .pipelines import (
    namespace_equals_artifact,
    source_is_artifact_bucket,
    tagged_source_needs_put_object_tagging,
)
from .repositories import codecommit_is_open
from .room import Room
from .scaling import probes_come_via_a_service, registering_probes_the_caller
from .variants import equal_names_are_refused, many_variants_are_refused, weights_of_zero_are_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..stack import Identity
    from .verdict import Verdicts

_SETTLE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Question:
    """A question to AWS.

    Attributes:
        text: A yes-or-no question.
        decides: What follows for a pipeline.
        find_out: Creates what is needed in a room, and returns the verdict with its reason.
    """

    text: str
    decides: str
    find_out: Callable[[Room], Verdicts]


QUESTIONS = (
    Question(
        "Does CodePipeline refuse a namespace that is also an artifact's name?",
        "If no: the rule of the local AWS is stricter than AWS; nothing to do.",
        namespace_equals_artifact,
    ),
    Question(
        "Does CodePipeline refuse a source in the bucket of its artifacts?",
        "If yes: give the templates a bucket of their own.",
        source_is_artifact_bucket,
    ),
    Question(
        "Does the S3 source need s3:PutObjectTagging for an object with tags?",
        "If yes: the pipeline's role must have it, or a tagged data set fails the Source stage.",
        tagged_source_needs_put_object_tagging,
    ),
    Question(
        "Does RegisterScalableTarget check the caller's permissions for CloudWatch and SageMaker?",
        "If yes: the deploy role needs the statement for these calls, or the first production stack rolls back.",
        registering_probes_the_caller,
    ),
    Question(
        "Do those calls carry aws:ViaAWSService?",
        "If yes: that statement may be narrowed by this condition.",
        probes_come_via_a_service,
    ),
    Question(
        "Does CloudFormation need cloudwatch:TagResource to create an alarm without tags?",
        "If yes: the deploy role must have it, or the first production stack fails at its alarms.",
        alarm_needs_tag_resource,
    ),
    Question(
        "Does CreateModel refuse an image with an OCI manifest?",
        "If yes: the build must continue to push Docker's format.",
        model_refuses_oci,
    ),
    Question(
        "Does CreateTrainingJob still carry sagemaker:VolumeKmsKey?",
        "If no: the statement for the old condition key can be removed; with neither key, training is denied.",
        training_carries_the_old_key,
    ),
    Question(
        "Does CreateEndpointConfig refuse variants that all have the weight 0?",
        "If no: the local AWS is stricter than AWS; nothing to do, an A/B test never sends them.",
        weights_of_zero_are_refused,
    ),
    Question(
        "Does CreateEndpointConfig refuse two variants of the same name?",
        "If no: the local AWS is stricter than AWS; nothing to do, the slots of an A/B test have two names.",
        equal_names_are_refused,
    ),
    Question(
        "Does CreateEndpointConfig refuse 11 variants?",
        "If no: the documented limit of 10 is higher in this account; nothing to do, an A/B test has two.",
        many_variants_are_refused,
    ),
    Question(
        "May this account create CodeCommit repositories?",
        "If no: use Algorithm.from_connection(...).",
        codecommit_is_open,
    ),
)


def ask(session: Any, region: str | None = None, *, settle_seconds: float = _SETTLE_SECONDS) -> Iterator[Answer]:
    """Answer every question; delete what was created for one before the next.

    Args:
        session: A boto3 session.
        region: AWS region; unless given, that of the session.
        settle_seconds: How long AWS may need until a new role or policy takes effect.

    Raises:
        MlopsError: when there are no usable credentials.
    """
    caller = Caller(session, region)
    if caller.identity is None:
        raise MlopsError("; ".join(f"{one.detail}: {one.remedy}" for one in caller.findings if one.remedy))
    for question in QUESTIONS:
        yield _ask(question, session, caller.identity, settle_seconds)


def _ask(question: Question, session: Any, identity: Identity, settle_seconds: float) -> Answer:
    from botocore.exceptions import BotoCoreError, ClientError

    room = Room(session, identity, settle_seconds)
    try:
        with room:
            verdict, detail = question.find_out(room)
    except (BotoCoreError, ClientError) as error:
        verdict, detail = "undecided", str(error)
    except KeyboardInterrupt:
        if room.left:
            raise MlopsError(f"interrupted, and not deleted: {'; '.join(room.left)}") from None
        raise
    return Answer(question.text, verdict, detail, question.decides, tuple(room.left))
