"""Things that a company has already, and hands in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import is_token, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Every role a pipeline can have, by purpose, with the service that assumes it.
ROLES = {
    "training": "sagemaker",
    "model": "sagemaker",
    "notebook": "sagemaker",
    "deploy": "cloudformation",
    "build": "codebuild",
    "pipeline": "codepipeline",
    "image-pipeline": "codepipeline",
    "start-pipeline": "events",
    "start-image-pipeline": "events",
    "check-dataset": "lambda",
    "evaluate-model": "lambda",
    "record-decision": "lambda",
    "register-model": "lambda",
    "seed-repository": "lambda",
    "smoke-test-dev": "lambda",
    "smoke-test-production": "lambda",
    "train-model": "lambda",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """What is used as it is, where the pipeline would make its own. Nothing of it is changed.

    A bucket for data sets is handed in by ``Dataset.from_bucket``, a repository by ``Algorithm.from_codecommit``, a
    topic by ``Approval(topic_arn=...)``.

    Attributes:
        kms_key_arn: Key of everything at rest. Its policy must let IAM policies of the account decide, and admit
            ``logs.<region>.amazonaws.com``, ``events.amazonaws.com`` and ``cloudwatch.amazonaws.com`` as
            ``MLOpsPipeline.key_policy`` does. Reference.
        artifact_bucket: Name of the bucket for artifacts, models and pinned data sets; versioned, in the pipeline's
            region. Reference.
        dead_letter_queue_arn: SQS queue of undelivered events; its policy must admit ``events.amazonaws.com``.
            Reference.
        roles: Purpose to ARN, for an account where only a central team makes roles. Purposes are those of
            ``MLOpsPipeline.required_roles``, which says what each must be trusted by and allowed. ARNs are
            references.
    """

    kms_key_arn: str | None = None
    artifact_bucket: str | None = None
    dead_letter_queue_arn: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for name, form in (("kms_key_arn", "key/"), ("dead_letter_queue_arn", ":sqs:")):
            value = getattr(self, name)
            # An alias moves under what it once encrypted, and no policy can name the key behind it.
            if value is not None and not is_token(value) and not (value.startswith("arn:") and form in value):
                yield Problem(
                    name, f"must be an ARN that holds {form!r}", value, "give the ARN, not a name or an alias"
                )
        for purpose, arn in self.roles.items():
            yield from literal(f"roles[{purpose!r}]", purpose)
            if purpose not in ROLES:
                yield Problem(f"roles[{purpose!r}]", f"must be one of {sorted(ROLES)}", purpose, "correct the purpose")
            if not is_token(arn) and not (arn.startswith("arn:") and ":role/" in arn):
                yield Problem(f"roles[{purpose!r}]", "must be the ARN of a role", arn, "give the ARN, not the name")
