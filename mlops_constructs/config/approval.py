"""Who approves a model for production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Problem
from ._part import Part
from ._rules import boolean, in_range, matches, reference

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Part):
    """The manual approval before production.

    Attributes:
        emails: Addresses that receive the evidence and the link; each must confirm its subscription once. Literal.
        timeout_in_minutes: The execution fails after this time without an answer, so that a forgotten approval does
            not block the next data set for long. 5 to 86,400 minutes, 1 day unless given. Literal.
            https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
        topic_arn: Existing SNS topic that receives the requests, instead of one that the pipeline creates. It is not
            changed. If it is encrypted, its key policy must allow the pipeline's role to use the key. For the alarms,
            its policy and that of its key must allow ``cloudwatch.amazonaws.com``. Reference.
        keep_dev_endpoint: Whether the DEV endpoint runs, and is billed, after the decision and until the next
            execution replaces its model. Otherwise it is deleted when the release is approved, or when the execution
            ends without, and the next execution creates it again. Literal.
        max_critical_findings: How many critical findings ECR's scan of the image may have, 0 to 10,000, where the
            pipeline builds the image. A release whose image has more, or has no complete scan, needs a reason: the
            approver is asked for a comment, and without one it is not deployed. None for not reading the scan. Literal.
            https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html
    """

    emails: Sequence[str] = ()
    timeout_in_minutes: int = 24 * 60
    topic_arn: str | None = None
    keep_dev_endpoint: bool = False
    max_critical_findings: int | None = 0

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for index, email in enumerate(self.emails):
            yield from matches(
                f"emails[{index}]", email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be an e-mail address", "correct it"
            )
        if len(set(self.emails)) < len(self.emails):
            yield Problem("emails", "must have each address once", list(self.emails), "remove the duplicates")
        yield from in_range("timeout_in_minutes", self.timeout_in_minutes, 5, 86_400, "minutes")
        yield from boolean("keep_dev_endpoint", self.keep_dev_endpoint)
        if self.max_critical_findings is not None:
            yield from in_range("max_critical_findings", self.max_critical_findings, 0, 10_000, "findings")
        if self.topic_arn is None:
            return
        rule, remedy = "must be the ARN of an SNS topic", "give the ARN, not the name"
        yield from reference("topic_arn", self.topic_arn, r"arn:\S*:sns:\S+", rule, remedy)
        if self.emails:
            remedy = "subscribe them to the topic yourself, or leave topic_arn out"
            yield Problem("emails", "cannot be subscribed to an existing topic", list(self.emails), remedy)
