"""Existing resources that a pipeline uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ..errors import Problem
from ._buckets import bucket_problems
from ._part import Part
from ._rules import literal, reference

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing(Part):
    """Existing resources that the pipeline uses instead of creating its own. They are not changed.

    An existing bucket for data sets is given by ``Dataset.from_bucket``, a repository by ``Algorithm.from_codecommit``,
    a topic by ``Approval(topic_arn=...)``.

    Attributes:
        kms_key_arn: KMS key for everything at rest. Its policy must delegate access to the account's IAM policies, and
            allow ``logs.<region>.amazonaws.com`` and ``cloudwatch.amazonaws.com``, as ``MLOpsPipeline.key_policy``
            does. Reference.
        artifact_bucket: Name of the bucket for artifacts, models and pinned data sets, with versioning, in the
            pipeline's region. Several pipelines can share one: each writes only its own keys. Reference.
        dead_letter_queue_arn: SQS queue for undelivered events; its policy must allow ``events.amazonaws.com``.
            Reference.
        roles: Purpose to ARN, for an account where only a central team creates roles. The purposes are those of
            ``Existing.ROLES``; ``MLOpsPipeline.required_roles`` gives the policy of each. Where the same stack creates
            the policies, ``wait_for(policy)`` of each makes the pipeline wait for them. ARNs are references.
    """

    # Every role that a pipeline can have, by purpose, with the service that assumes it.
    ROLES: ClassVar[Mapping[str, str]] = {
        "training": "sagemaker.amazonaws.com",
        "evaluation": "sagemaker.amazonaws.com",
        "batch": "sagemaker.amazonaws.com",
        "model-dev": "sagemaker.amazonaws.com",
        "model-production": "sagemaker.amazonaws.com",
        "notebook": "sagemaker.amazonaws.com",
        "deploy-dev": "cloudformation.amazonaws.com",
        "deploy-production": "cloudformation.amazonaws.com",
        "build": "codebuild.amazonaws.com",
        "pipeline": "codepipeline.amazonaws.com",
        "image-pipeline": "codepipeline.amazonaws.com",
        "start-pipeline": "events.amazonaws.com",
        "start-image-pipeline": "events.amazonaws.com",
        "abort-ab-test": "lambda.amazonaws.com",
        "answer-training": "lambda.amazonaws.com",
        "batch-smoke-test": "lambda.amazonaws.com",
        "check-dataset": "lambda.amazonaws.com",
        "evaluate-model": "lambda.amazonaws.com",
        "gather-evidence": "lambda.amazonaws.com",
        "guard-destroy": "lambda.amazonaws.com",
        "judge-ab-test": "lambda.amazonaws.com",
        "make-baseline": "lambda.amazonaws.com",
        "notify-people": "lambda.amazonaws.com",
        "place-variants": "lambda.amazonaws.com",
        "record-batch": "lambda.amazonaws.com",
        "record-decision": "lambda.amazonaws.com",
        "retire-dev": "lambda.amazonaws.com",
        "record-release": "lambda.amazonaws.com",
        "register-model": "lambda.amazonaws.com",
        "retrain": "lambda.amazonaws.com",
        "run-evaluation": "lambda.amazonaws.com",
        "seed-repository": "lambda.amazonaws.com",
        "smoke-test-dev": "lambda.amazonaws.com",
        "smoke-test-production": "lambda.amazonaws.com",
        "start-batch": "lambda.amazonaws.com",
        "start-newest": "lambda.amazonaws.com",
        "start-retraining": "lambda.amazonaws.com",
        "stop-training": "lambda.amazonaws.com",
        "train-model": "lambda.amazonaws.com",
        "watch-traffic": "lambda.amazonaws.com",
    }

    kms_key_arn: str | None = None
    artifact_bucket: str | None = None
    dead_letter_queue_arn: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for name, form in (("kms_key_arn", "key/"), ("dead_letter_queue_arn", ":sqs:")):
            value = getattr(self, name)
            # An alias can later name another key than the one that encrypted the data, and no policy can name its key.
            if value is not None:
                rule, remedy = f"must be an ARN that contains {form!r}", "give the ARN, not a name or an alias"
                yield from reference(name, value, rf"arn:\S*{form}\S*", rule, remedy)
        if self.artifact_bucket is not None:
            yield from bucket_problems("artifact_bucket", self.artifact_bucket)
        for purpose, arn in self.roles.items():
            yield from literal(f"roles[{purpose!r}]", purpose)
            if purpose not in self.ROLES:
                yield Problem(
                    f"roles[{purpose!r}]", f"must be one of {sorted(self.ROLES)}", purpose, "correct the purpose"
                )
            rule, remedy = "must be the ARN of a role", "give the ARN, not the name"
            yield from reference(f"roles[{purpose!r}]", arn, r"arn:\S*:role/\S+", rule, remedy)
